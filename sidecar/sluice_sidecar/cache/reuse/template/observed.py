"""What the readings of a rule have in common in the siblings: what a new one must have too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sluice_sidecar.cache.reuse.template.anchor import After, Below
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.form import date_shape, decimals
from sluice_sidecar.cache.reuse.template.span import NUMBERS, Reading, Text, Typed
from sluice_sidecar.cache.reuse.template.stack import Stacked

if TYPE_CHECKING:
    from sluice_sidecar.cache.reuse.template.leaf import Rule

Found = Sequence[tuple[Document, Reading]]
"""What a rule reads in documents."""


def stops_of(rule: "Rule", found: Found, stops: frozenset[Label]) -> frozenset[Label] | None:
    """The openings with which a text goes on below in siblings; None if it does so otherwise, or is no text."""
    if not isinstance(rule.reader, Text) or rule.reader.extent not in {"cell", "line"}:
        return None
    return None if any(document.below(read.lo, stops) for document, read in found) else stops


def enders_of(rule: "Rule", found: Found) -> frozenset[Label] | None:
    """The openings of the lines that ended a block where no blank line did; None if it is no block."""
    if not isinstance(rule.reader, Text) or rule.reader.extent != "block":
        return None
    return frozenset(
        document.openings[document.row_of[read.hi - 1] + 1]
        for document, read in found
        if document.below(read.hi - 1, ())
    )


def usual_of(values: Sequence[Any]) -> frozenset[str]:
    """The texts of siblings, if each has one and some have the same; none otherwise."""
    texts = [v for v in values if isinstance(v, str) and any(char.isalpha() for char in v)]
    return frozenset(texts) if len(texts) == len(values) > len(set(texts)) else frozenset()


def shown_of(rules: "Sequence[Rule]", lacking: Sequence[Document]) -> frozenset[Label]:
    """Names that lead to the value and stand in no sibling that lacks it."""
    if not lacking:
        return frozenset()
    names = {rule.anchor.label for rule in rules if isinstance(rule.anchor, After | Below | Stacked)}
    return frozenset(name for name in names if not any(document.occurrences(name) for document in lacking))


def date_shapes_of(rule: "Rule", found: Found) -> frozenset[str]:
    """The patterns of the dates that were read."""
    if not isinstance(rule.reader, Typed) or rule.reader.kind != "date":
        return frozenset()
    return frozenset(date_shape(document.raw(read.lo, read.hi)) for document, read in found)


def decimals_of(rule: "Rule", found: Found) -> int:
    """Decimals of every number that was read; 0 if they differ."""
    if not isinstance(rule.reader, Typed) or rule.reader.kind not in NUMBERS:
        return 0
    seen = {decimals(document.raw(read.lo, read.hi)) for document, read in found}
    return seen.pop() if len(seen) == 1 else 0
