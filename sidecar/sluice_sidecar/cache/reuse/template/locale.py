"""One document writes its numbers in one style and its dates in one order: what one field shows holds for all."""

from collections.abc import Iterable
from dataclasses import replace

from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.leaf import Leaf
from sluice_sidecar.cache.reuse.template.run import Run
from sluice_sidecar.cache.reuse.template.span import NUMBERS, Typed
from sluice_sidecar.cache.reuse.template.table import Table


def harmonised(
    leaves: dict[Path, Leaf], tables: dict[Path, Table | Run]
) -> tuple[dict[Path, Leaf], dict[Path, Table | Run]]:
    """The same rules without those that read in a style which another field rules out."""
    readers: list[list[object]] = [[rule.reader for rule in leaf.rules] for leaf in leaves.values()]
    readers += [[reader for _, reader, _ in field.rules] for table in tables.values() for field in table.fields]
    styles = _common(_modes(each, NUMBERS) for each in readers)
    orders = _common(_modes(each, frozenset({"date"})) for each in readers)

    def agrees(reader: object) -> bool:
        if not isinstance(reader, Typed):
            return True
        allowed = styles if reader.kind in NUMBERS else orders if reader.kind == "date" else None
        return allowed is None or reader.mode in allowed or reader.mode in {"ymd", "name"}

    kept = {
        path: replace(leaf, rules=tuple(r for r in leaf.rules if agrees(r.reader))) for path, leaf in leaves.items()
    }
    for_tables = {
        path: replace(
            table,
            fields=tuple(replace(f, rules=tuple(r for r in f.rules if agrees(r[1]))) for f in table.fields),
        )
        for path, table in tables.items()
    }
    return kept, for_tables


def _modes(readers: Iterable[object], kinds: frozenset[str]) -> frozenset[str]:
    return frozenset(
        r.mode for r in readers if isinstance(r, Typed) and r.kind in kinds and r.mode not in {"ymd", "name"}
    )


def _common(sets: Iterable[frozenset[str]]) -> frozenset[str] | None:
    """What all non-empty sets share; None if that is nothing."""
    filled = [each for each in sets if each]
    shared = frozenset.intersection(*filled) if filled else frozenset()
    return shared or None
