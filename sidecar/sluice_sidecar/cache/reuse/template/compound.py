"""Values that are put together from parts which stand in different places ("FRA-JFK", an address on one line)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.leaf import empty

JOINS = (", ", " - ", "-", "/", "\n")
"""What parts are joined by, in the order in which they are tried."""
MOST = 4
"""Parts of a value, at most."""
PART = "\x00part"
"""Begins the last key of the path of a part."""


@dataclass(frozen=True, slots=True)
class Compound:
    """`parts` are paths of leaves of their own, joined by `join`."""

    join: str
    parts: tuple[Path, ...]


def whole(path: Path) -> Path:
    """The path of the value that a part belongs to; any other path as it is."""
    return path[:-1] if path and path[-1].startswith(PART) else path


def parts(path: Path, values: Sequence[Any]) -> Iterator[tuple[Compound, list[list[Any]]]]:
    """The ways to take apart the values of a path, all alike, and the values of each part."""
    having = [value for value in values if not empty(value)]
    if not having or not all(isinstance(value, str) for value in having):
        return
    for join in JOINS:
        counts = {value.count(join) + 1 for value in having}
        if len(counts) != 1 or not 2 <= (count := counts.pop()) <= MOST:
            continue
        split = [[value] * count if empty(value) else value.split(join) for value in values]
        if all(all(piece) for piece, value in zip(split, values, strict=True) if not empty(value)):
            names = tuple((*path, f"{PART}{place}{join}") for place in range(count))
            yield Compound(join, names), [[one[place] for one in split] for place in range(count)]
