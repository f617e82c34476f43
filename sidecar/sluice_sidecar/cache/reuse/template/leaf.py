"""One scalar of the answer: the rules that give its value in every sibling, and what they say of a new document."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, Literal

from sluice_sidecar.cache.reuse.template.anchor import After, Anchor, Below, Standing
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.form import blurred, date_shape, decimals
from sluice_sidecar.cache.reuse.template.likeness import smeared
from sluice_sidecar.cache.reuse.template.observed import (
    date_shapes_of,
    decimals_of,
    enders_of,
    shown_of,
    stops_of,
    usual_of,
)
from sluice_sidecar.cache.reuse.template.span import Reader, Reading, Text
from sluice_sidecar.cache.reuse.template.stack import Stacked
from sluice_sidecar.cache.reuse.template.summed import Named, Summed

if TYPE_CHECKING:
    from sluice_sidecar.cache.reuse.template.candidates import Candidates, Held

COUNTED = 5
"""Siblings before a number of words or lines is taken for a rule."""
MENDED = 3
"""Siblings that all have one text, before a misreading of it by look-alike letters is taken for it."""
ALIKE = 0.9
"""Share of characters in common from which one text may be the other misread."""
_MIXED = re.compile(r"[^\W\d_]\d+[^\W\d_]|\b\d[^\W\d_]{3}")
"""A figure within a word: how a scanner misreads a letter."""
MISSING: Final = "\x00missing"
"""Stands for a key that an answer does not have."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A value that answers have where the document says nothing."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rule:
    """Where to look and what to read there."""

    anchor: Anchor
    reader: Reader

    @property
    def rank(self) -> int:
        """The sum of its parts' ranks. Under a heading a value ends with its cell."""
        whole_line = isinstance(self.reader, Text) and self.reader.extent == "line"
        return self.anchor.rank + self.reader.rank + (whole_line and not isinstance(self.anchor, After))

    def read(self, document: Document) -> Reading | None:
        """The value in a document, if this rule finds one."""
        try:
            at = document.sites[self.anchor]
        except KeyError:
            at = document.sites[self.anchor] = self.anchor.locate(document)
        return None if at is None else self.reader.read(document, at)


@dataclass(frozen=True, slots=True)
class Leaf:
    """`rules` agree on every sibling. `optional`: some siblings lack it, and then hold `absent` in its place.

    `support`: siblings that have a value. Below two the rules are tripwires: where one fires, nothing is given.
    """

    rules: tuple[Rule, ...]
    absent: Any
    optional: bool
    support: int
    whole: bool = True
    """A number without a fraction is an int in the answers, even where the document writes one."""
    seen: frozenset[str] = frozenset()
    """Texts without figures that siblings have. One that all but equals one of them is a misreading of it."""
    repeats: bool = False
    """Some siblings have the same text: in a place without a name, no other one is believed."""
    dates: frozenset[str] = frozenset()
    """The patterns of the dates that were read."""
    decimals: int = 0
    """Decimals of every number that was read; 0 if they differ. A number with fewer was cut short."""
    clean: bool = False
    """No sibling is misread: a value that is all but another one is a value of its own."""
    stops: frozenset[Label] | None = None
    """In no sibling a text goes on in the line below, unless with one of these openings; None: in some it does."""
    enders: frozenset[Label] | None = None
    """Openings of the lines that ended the block in siblings where no blank line did; None if it is no block."""
    usual: frozenset[str] = frozenset()
    """The texts of siblings of which some have the same, where a scanner misreads: no other one is believed."""
    shown: frozenset[Label] = frozenset()
    """Names that stand in no sibling without the value: where one stands, the value is not absent."""

    def labels(self) -> frozenset[Label]:
        """The names that lead to the value."""
        return frozenset(rule.anchor.label for rule in self.rules if isinstance(rule.anchor, After | Below | Stacked))

    @property
    def constant(self) -> bool:
        """Whether all siblings have one text, and enough of them."""
        return len(self.seen) == 1 and self.support >= MENDED

    @property
    def fixed(self) -> bool:
        """Whether it always says the same without reading anything."""
        return not self.rules and self.absent not in (None, "", MISSING)

    def read(self, document: Document) -> "Reading | Literal['absent', 'ambiguous', 'rare', 'lost', 'doubtful']":
        """The value, or why there is none: absent as in some sibling, read in two ways, seen once only, not
        found, or all but what siblings have."""
        found: Reading | None = None
        for place, rule in enumerate(self.rules):
            read = rule.read(document)
            if place and (read is None) != (found is None):
                return "ambiguous"
            if found is not None and read is not None and not same(found.value, read.value):
                return "ambiguous"
            found = found or read
        if found is None:
            if any(document.occurrences(label) for label in self.shown):
                return "lost"
            return "absent" if self.optional or not self.support else "lost"
        if self.support < 2:
            return "rare"
        if self.usual and isinstance(found.value, str) and found.value not in self.usual:
            meant = [text for text in self.usual if smeared(text) == smeared(found.value)]
            return found._replace(value=meant[0]) if len(meant) == 1 else "doubtful"
        if not self.clean and isinstance(found.value, str) and len(self.seen) == 1 and self.support >= MENDED:
            only = next(iter(self.seen))
            if found.value != only and blurred(found.value) == blurred(only):
                return found._replace(value=only)
        if self.enders is not None and document.below(found.hi - 1, self.enders):
            return "doubtful"
        if self.stops is not None and isinstance(found.value, str) and document.below(found.lo, self.stops):
            return "doubtful"
        if self.decimals and decimals(document.raw(found.lo, found.hi)) != self.decimals:
            return "doubtful"
        if isinstance(found.value, str) and found.value not in self.seen and self._doubtful(document, found):
            return "doubtful"
        if isinstance(found.value, float) and found.value.is_integer() and self.whole:
            return found._replace(value=int(found.value))
        return found

    def _doubtful(self, document: Document, found: Reading) -> bool:
        if self.dates and date_shape(document.raw(found.lo, found.hi)) not in self.dates:
            return True
        if not self.seen:
            return False
        if self.clean and len(self.seen) > 1:
            mixed = bool(_MIXED.search(found.value))
            return mixed or any(smeared(text) == smeared(found.value) for text in self.seen)
        if self.repeats and not all(isinstance(rule.anchor, After | Below | Stacked | Named) for rule in self.rules):
            return True
        if _MIXED.search(found.value):
            return True
        return any(_alike(text, found.value) for text in self.seen)


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= ALIKE and matcher.ratio() >= ALIKE


def same(a: Any, b: Any) -> bool:
    """Equality of two values of an answer; 12 and 12.0 are equal, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or abs(a - b) < 1e-9 * max(1.0, abs(a))
    return bool(type(a) is type(b) and a == b)


def learn(
    path: object, values: Sequence[Any], chosen: Sequence[int], candidates: "Candidates", *, clean: bool
) -> Leaf | None:
    """The leaf of `values` (one a document; MISSING for no key) from the documents `chosen`; None if no rule holds.

    `clean`: no document is misread.
    """
    having = [i for i in chosen if not empty(values[i])]
    lacking = [i for i in chosen if empty(values[i])]
    absent = _agreed([values[i] for i in lacking])
    if absent is _DISPUTED:
        return None
    if not having:
        return Leaf((), absent, True, 0)
    whole = all(isinstance(values[i], int) for i in having if isinstance(values[i], int | float) and values[i] % 1 == 0)
    wanted = sum(1 << i for i in chosen)
    # A place without a name cannot tell that its value is absent.
    for kind in candidates.held(path, values)[: 1 if lacking else 2]:
        kept = [held for held in kind if held.documents & wanted == wanted]
        if len(having) < COUNTED:
            kept = [held for held in kept if not (isinstance(held.rule.reader, Text) and held.rule.reader.counts)]
        if lacking:
            kept = [held for held in kept if _tells_absence(held.rule, len(having))]
        if kept:
            agreed = _agreeing(kept, having)
            rules, best = tuple(held.rule for held in agreed), agreed[0].rule
            reads = [(candidates.documents[i], agreed[0].reads[i]) for i in having]
            found = [(document, read) for document, read in reads if read is not None]
            texts = [v for i in having if isinstance(v := values[i], str) and len(v) > 5 and not _figures(v)]
            seen = frozenset(texts) if len(texts) == len(having) else frozenset()
            return Leaf(
                rules, absent, bool(lacking), len(having), whole, seen, len(seen) < len(texts),
                date_shapes_of(best, found), decimals_of(best, found), clean,
                stops_of(best, found, candidates.stops), enders_of(best, found),
                frozenset() if clean else usual_of([values[i] for i in having]),
                shown_of(rules, [candidates.documents[i] for i in lacking]),
            )  # fmt: skip
    return None


_DISPUTED: Final = object()


def empty(value: Any) -> bool:
    """Whether an answer has no value here."""
    if isinstance(value, Standard):
        return True
    return value is None or value == "" or (isinstance(value, str) and value == MISSING) or value == []


def _agreeing(kept: "Sequence[Held]", having: Sequence[int]) -> "list[Held]":
    """The rules of the best rank, and of each other place that gives the same values the best one: where they read
    different values one day, one of them held by chance."""
    best = min(held.rank for held in kept)
    first = [held for held in kept if held.rank == best]
    places = {_places(held, having) for held in first}
    for held in kept:
        if held.rank == best or isinstance(held.rule.reader, Summed):
            continue
        where = _places(held, having)
        if _elsewhere(where, places):
            places.add(where)
            first.append(held)
    return first


def _places(held: "Held", having: Sequence[int]) -> tuple[int, ...]:
    reads = (held.reads[i] for i in having)
    return tuple(-1 if read is None else read.lo for read in reads)


def _elsewhere(where: tuple[int, ...], places: set[tuple[int, ...]]) -> bool:
    return all(all(a != b for a, b in zip(where, other, strict=True)) for other in places)


def _tells_absence(rule: Rule, support: int) -> bool:
    """Whether a rule that reads nothing shows that there is nothing: it rests on a name, not on the value itself."""
    if isinstance(rule.anchor, Standing):
        return support >= 2 and not any(token[0].isdigit() for token in rule.anchor.text)
    return True


def _figures(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _agreed(values: list[Any]) -> Any:
    """The one way in which a missing value is written; null when none was missing."""
    if not values:
        return None
    first = values[0]
    if not all(type(v) is type(first) and v == first for v in values):
        return _DISPUTED
    return first.value if isinstance(first, Standard) else first
