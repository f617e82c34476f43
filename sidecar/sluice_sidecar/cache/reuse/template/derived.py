"""Values that stand nowhere in the text: defaults, constants, what the presence of words decides, counts of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.grounding import stands
from sluice_sidecar.cache.reuse.template.leaf import Standard, empty
from sluice_sidecar.cache.reuse.template.span import Reading
from sluice_sidecar.cache.reuse.template.summed import adds_up

NOTHING: Final = frozenset({"0", "0.00", "0,00", "0.0", "n/a", "none", "-", "false"})
"""What answers write where a document has nothing."""
TWICE = 2
"""Siblings that must show a value before words are believed to decide it."""
FIGURES = 3
"""Cells with figures of a row of a table."""
OFTEN = 5
"""Siblings that must agree on a flag that is true before it is taken for the only value."""
SELDOM = 4
"""The same for a flag that is false."""
LONGEST = 8
"""Tokens of words that decide a value, at most."""


def segments(document: Document) -> dict[Label, int]:
    """The words between gaps, colons and line ends that hold no figure, regardless of case, and where they begin."""
    kept: dict[Label, int] | None = document.places.get(segments)
    if kept is not None:
        return kept
    found: dict[Label, int] = {}
    document.places[segments] = found
    for number, row in enumerate(document.rows):
        if tabular(document, number):
            continue
        for cell in row:
            lo = cell.lo
            for at in range(cell.lo, cell.hi + 1):
                if at < cell.hi and document.tokens[at] != ":":
                    continue
                part = document.folded(lo, at)
                if part and len(part) <= LONGEST and not any(token[0].isdigit() for token in part):
                    found.setdefault(part, lo)
                lo = at + 1
    return found


Slot = tuple[str, Label]
"""Where words stand: behind which words on their line, under which cell, or below which line."""


def slots(document: Document) -> dict[Label, tuple[Slot, int]]:
    """The slot and the first token of each segment, and of each cell without figures in lines full of figures."""
    kept: dict[Label, tuple[Slot, int]] | None = document.places.get(slots)
    if kept is not None:
        return kept
    found: dict[Label, tuple[Slot, int]] = {}
    for part, at in segments(document).items():
        found[part] = _slot(document, at), at
    for number, row in enumerate(document.rows):
        if tabular(document, number):
            for cell in row:
                part = document.folded(cell.lo, cell.hi)
                if part and len(part) <= LONGEST and not any(token[0].isdigit() for token in part):
                    found.setdefault(part, (_slot(document, cell.lo), cell.lo))
    document.places[slots] = found
    return found


def _slot(document: Document, at: int) -> Slot:
    cell, row, place = document.cell(at), document.row_of[at], document.cell_of[at]
    if at > cell.lo:
        return "behind", document.folded(cell.lo, at)
    if place:
        left = document.rows[row][place - 1]
        label = document.folded(left.lo, left.hi)
        if label and not any(token[0].isdigit() for token in label):
            return "behind", label
    if row and not document.blank_before(row):
        over = next((one for one in document.rows[row - 1] if one.start == cell.start), None)
        if over is not None and place:
            return "under", document.folded(over.lo, over.hi)
    return "below", document.openings[row - 1] if row else ()


def tabular(document: Document, row: int) -> bool:
    """Whether a line has so many cells with figures that it is a row of a table."""
    cells = document.rows[row]
    return len(cells) > FIGURES and sum(document.tokens[cell.lo][0].isdigit() for cell in cells) >= FIGURES


@dataclass(frozen=True, slots=True)
class Switch:
    """Words decide the value: `marks` has for each value the segments that all siblings with it have, and no other.

    `rare`: values that too few siblings show; their words are tripwires. `shared`: the words that all siblings with a
    value have and no other, those included that stand where each document says something else: a value that no word
    marks is given while these are there.
    """

    marks: tuple[tuple[Any, frozenset[Label]], ...]
    rare: tuple[bool, ...]
    shared: tuple[frozenset[Label], ...]

    def read(self, document: Document) -> "Reading | Literal['unclear', 'rare']":
        """The value whose words all stand there while no other's do."""
        here = {part: at for part, (_, at) in slots(document).items()}
        held = [at for at, (_, marks) in enumerate(self.marks) if marks and marks <= here.keys()]
        touched = [at for at, (_, marks) in enumerate(self.marks) if any(mark in here for mark in marks)]
        silent = [at for at, (_, marks) in enumerate(self.marks) if not marks]
        if len(held) > 1 or touched != held or (not held and len(silent) != 1):
            return "unclear"
        chosen = held[0] if held else silent[0]
        if self.rare[chosen]:
            return "rare"
        if not held and not self.shared[chosen] <= here.keys():
            return "unclear"
        value, marks = self.marks[chosen]
        at = here[min(marks)] if held else 0
        return Reading(value, at, at + len(min(marks)) if held else at)


def switch(values: Sequence[Any], documents: Sequence[Document]) -> Switch | None:
    """What decides the value in these documents; None when nothing does."""
    said = [frozenset(slots(document)) for document in documents]
    texts: dict[Slot, set[Label]] = {}
    for document in documents:
        for part, (slot, _) in slots(document).items():
            texts.setdefault(slot, set()).add(part)
    most = max(TWICE, len(_distinct(values)))
    # Words where each document says something else decide a value by chance.
    # A line below figures has no place of its own.
    varied = {
        part
        for document in documents
        for part, (slot, _) in slots(document).items()
        if len(texts[slot]) > most and slot != ("below", ())
    }
    marks: list[tuple[Any, frozenset[Label]]] = []
    rare: list[bool] = []
    shared: list[frozenset[Label]] = []
    for value in _distinct(values):
        inside = [one for one, other in zip(said, values, strict=True) if _alike(value, other)]
        outside = [one for one, other in zip(said, values, strict=True) if not _alike(value, other)]
        shared.append(frozenset.intersection(*inside) - frozenset().union(*outside))
        rare.append(len(inside) < TWICE)
        marks.append((value, shared[-1] if rare[-1] else shared[-1] - varied))
    if len(marks) < 2 or sum(not words for _, words in marks) > 1 or all(rare):
        return None
    return Switch(tuple(marks), tuple(rare), tuple(shared))


def counted(values: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Whether each value is the number of rows of a table."""
    pairs = zip(values, rows, strict=True)
    return all(type(value) is int and isinstance(row, list) and value == len(row) for value, row in pairs)


def standing(values: list[Any], documents: Sequence[Document]) -> "tuple[list[Any], bool]":
    """The values with those that stand nowhere as Standard, and whether words must decide them.

    A value stands nowhere for a reason if it says that there is nothing, if it is true or false, or if several
    siblings have it.
    """
    lost = [i for i, value in enumerate(values) if not empty(value) and not grounded(documents[i], value)]
    kinds = _distinct([values[i] for i in lost])
    if not lost:
        return values, False
    if len(kinds) > 1 or (isinstance(kinds[0], bool) and len(_distinct(values)) > 1):
        return values, True
    one = kinds[0]
    # What is not so is told by nothing new being said; what is so rests on words that may say it by chance.
    if isinstance(one, bool) and len(values) < (OFTEN if one else SELDOM):
        return values, True
    return [Standard(value) if _alike(value, one) else value for value in values], False


def unsaid(values: Sequence[Any]) -> list[Any] | None:
    """The values with the one that says that there is nothing as Standard, wherever it may stand; None if there is
    none, or more than one."""
    kinds = _distinct([value for value in values if not empty(value) and not isinstance(value, bool)])
    kinds = [kind for kind in kinds if _nothing(kind)]
    return [Standard(value) if _alike(value, kinds[0]) else value for value in values] if len(kinds) == 1 else None


def explained(documents: Sequence[Document], values: Sequence[Any]) -> list[bool]:
    """Which values of one path stand in their documents or may be derived, rather than mended by the model.

    A text that stands in one sibling and not in another that has it was misread there.
    """
    found = [empty(value) or grounded(document, value) for document, value in zip(documents, values, strict=True)]
    for i, value in enumerate(values):
        if not found[i]:
            others = [j for j, other in enumerate(values) if _alike(value, other)]
            seen = any(stands(documents[j], value) for j in others)
            worded = isinstance(value, str) and not any(char.isdigit() for char in value)
            found[i] = _nothing(value) or (worded and len(others) >= TWICE and not seen)
    return found


def grounded(document: Document, value: Any) -> bool:
    """Whether a value stands in a document, or is a number that some of its lines add up to."""
    if stands(document, value):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and adds_up(document, value)


def _nothing(value: Any) -> bool:
    return isinstance(value, bool) or str(value).casefold() in NOTHING


def _alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _distinct(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(_alike(value, other) for other in found):
            found.append(value)
    return found
