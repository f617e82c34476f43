"""Where the items of a list stand in documents whose answers are known."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.grounding import places

HEAD = 4
"""Lines between the heading of a table and its first row, at most."""

Item = dict[Path, Any]


def flat(item: Any) -> Item:
    """An item's values by their paths within it; () for an item that is a scalar."""
    if not isinstance(item, dict):
        return {(): item}
    found: Item = {}
    for key, value in item.items():
        inner = flat(value) if isinstance(value, dict) else {(): value}
        found.update({(key, *path): leaf for path, leaf in inner.items()})
    return found


def locate_rows(document: Document, items: Sequence[Item]) -> list[int] | None:
    """The first line of each item: one below the other, so that together they hold most of the items' values."""
    best: dict[int, tuple[int, list[int]]] = {-1: (0, [])}
    for item in items:
        hits: Counter[int] = Counter()
        for value in item.values():
            hits.update({document.row_of[lo] for lo, _, _ in places(document, value)})
        following: dict[int, tuple[int, list[int]]] = {}
        for row, count in hits.items():
            before = max((state for last, state in best.items() if last < row), key=lambda s: s[0], default=None)
            if before is not None:
                following[row] = before[0] + count, [*before[1], row]
        best = following
        if not best:
            return None
    rows = max(best.values(), key=lambda state: (state[0], -state[1][0]))[1]
    return rows if all(first < second for first, second in pairwise(rows)) else None


def distance(documents: Sequence[Document], mains: Sequence[Sequence[int]]) -> int:
    """Lines from the heading down to the first row: the nearest line that reads the same in all; 0 if there is none."""
    for down in range(1, min(HEAD, *(rows[0] for rows in mains)) + 1):
        lines = {document.line(rows[0] - down) for document, rows in zip(documents, mains, strict=True)}
        if len(lines) == 1 and any(token[0].isalpha() for token in next(iter(lines))):
            return down
    return 0


def again_at(document: Document, head: int, end: int) -> list[int]:
    """The lines up to `end` that repeat a table's heading."""
    return [row for row in range(head + 1, end) if document.line(row) == document.line(head)]


def ends_of(documents: Sequence[Document], mains: Sequence[Sequence[int]], *, tight: bool) -> list[int]:
    """The line after each table: the nearest below the last row whose opening words stand in every document, and in no
    table; or, of a tight table, the first after a blank line."""
    after: list[set[Label]] = [
        set(document.openings[rows[-1] + 1 :]) for document, rows in zip(documents, mains, strict=True)
    ]
    inside: set[Label] = {()}
    for document, rows in zip(documents, mains, strict=True):
        inside.update(document.openings[rows[0] : rows[-1] + 1])
    shared = set.intersection(*after) - inside
    ends = []
    for document, rows in zip(documents, mains, strict=True):
        last = len(document.rows)
        end = next(
            (
                row
                for row in range(rows[-1] + 1, last)
                if document.openings[row] in shared or (tight and document.blank_before(row))
            ),
            last,
        )
        ends.append(end)
    return ends
