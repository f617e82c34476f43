"""What a new document says that no sibling said: a label, a field, a column. Nothing is given then."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sluice_sidecar.cache.reuse.template.derived import slots, tabular
from sluice_sidecar.cache.reuse.template.document import Cell, Document, Label
from sluice_sidecar.cache.reuse.template.form import blurred

RESEMBLING = 0.7
"""Share of characters in common from which a line may begin with a label that was misread."""

Context = tuple[Label, int, bool]
"""The nearest known opening above a line, the column in which the line begins, and whether a blank stands between."""


@dataclass(frozen=True, slots=True)
class Known:
    """What siblings said. `free`: where they say something else each time."""

    labels: frozenset[Label]
    openings: frozenset[Label]
    constant: frozenset[Label]
    free: frozenset[Context]
    rows: dict[Label, frozenset[Label] | None]
    """The cells of a line by its constant first cell; None where they vary."""
    cells: frozenset[Label]
    """The cells without figures."""
    cells_free: frozenset[Context]
    """Where a cell that does not open its line says something else each time."""
    most: dict[Label, int]
    """How often a line with a constant opening stands, at most: twice as often is another field of that name."""
    fixed: frozenset[Label]
    """Words that every sibling has, where a value rests on nothing having changed."""
    clean: bool = False
    """No sibling is misread."""
    blocks: frozenset[Label] = frozenset()
    """Headings of blocks that go on below their first line, each time with other words."""

    def surprise(self, document: Document, covered: Collection[int], rows: Collection[int]) -> str | None:
        """What is new and stands outside of the tokens and lines of tables that were read; None if nothing is."""
        if self.fixed:
            lost = [part for part in self.fixed if part not in slots(document)]
            if lost:
                return f"words that every sibling has are missing: {' '.join(lost[0])[:40]}"
        for label, at in document.labels:
            if at not in covered and label not in self.labels:
                return f"a label that no sibling has: {' '.join(label)[:40]}"
        often = Counter(
            opens
            for row, opens in enumerate(document.openings)
            if opens in self.most and row not in rows and (not self.clean or _states(document, row))
        )
        again = next((opens for opens, count in often.items() if count > self.most[opens]), None)
        if again is not None:
            return f"a line that stands more often than in any sibling: {' '.join(again)[:40]}"
        context: Label = ()
        for row in range(len(document.rows)):
            opens = document.openings[row]
            cells = document.rows[row]
            if opens in self.constant:
                context = opens
            quiet = row in rows or tabular(document, row)
            if not quiet and (heading := self._new_heading(document, row, covered)):
                return f"a heading that no sibling has: {' '.join(heading)[:40]}"
            if not quiet and (new := self._new_cell(document, row, covered, context)):
                return f"a cell that no sibling has: {' '.join(new)[:40]}"
            if opens in self.constant:
                if self._new_column(document, row, covered):
                    return "a column that no sibling has"
            elif (
                opens
                and opens not in self.openings
                and cells[0].lo not in covered
                and (context, cells[0].start, document.blank_before(row)) not in self.free
                and not (self.clean and self._of_a_block(document, row, cells[0], covered))
            ):
                return f"a line that no sibling has: {' '.join(opens)[:40]}"
        return None

    def resembles(self, document: Document, labels: Collection[Label]) -> bool:
        """Whether a line that no sibling has reads like one of the labels, misread."""
        wanted = [blurred("".join(label)) for label in labels]
        for row, opens in enumerate(document.openings):
            if opens in self.openings:
                continue
            line = blurred("".join(document.line(row)))
            for label in wanted:
                if len(label) > 2 and SequenceMatcher(None, line[: len(label) + 1], label).ratio() >= RESEMBLING:
                    return True
        return False

    def _new_cell(self, document: Document, row: int, covered: Collection[int], context: Label) -> Label | None:
        for (label, at), cell in zip(document.folded_cells(row)[1:], document.rows[row][1:], strict=True):
            if (
                label
                and label not in self.cells
                and at not in covered
                and not any(word[0].isdigit() or word == ":" for word in label)
                and (context, cell.start, False) not in self.cells_free
                and not (self.clean and self._of_a_block(document, row, cell, covered))
            ):
                return label
        return None

    def _of_a_block(self, document: Document, row: int, cell: Cell, covered: Collection[int]) -> bool:
        """Whether a line without a label goes on a block, below a text that was read, as it did in siblings."""
        while ":" not in document.tokens[cell.lo : cell.hi]:
            above = _above(document, row, cell)
            if above is None:
                return False
            row, cell = row - 1, above
            if cell.lo in covered:
                head = _above(document, row, cell)
                label = document.folded(head.lo, head.hi) if head is not None else ()
                return label in self.blocks and not any(
                    token[0].isdigit() for token in document.tokens[cell.lo : cell.hi]
                )
        return False

    def _new_heading(self, document: Document, row: int, covered: Collection[int]) -> Label | None:
        """A cell with nothing right above it and a figure right below or beside it: a field of its own."""
        cells = document.rows[row]
        for place, ((label, at), cell) in enumerate(zip(document.folded_cells(row), cells, strict=True)):
            if not (place or self.clean) or not label or label in self.cells or label in self.openings or at in covered:
                continue
            if any(word[0].isdigit() or word == ":" for word in label) or _above(document, row, cell) is not None:
                continue
            beside = cells[place + 1] if place + 1 < len(cells) else None
            under = None
            if row + 1 < len(document.rows) and not document.blank_before(row + 1):
                under = next((one for one in document.rows[row + 1] if one.start == cell.start), None)
            if any(
                one is not None
                and one.lo not in covered
                and any(token[0].isdigit() for token in document.tokens[one.lo : one.hi])
                for one in (beside, under)
            ):
                return label
        return None

    def _new_column(self, document: Document, row: int, covered: Collection[int]) -> bool:
        cells = document.folded_cells(row)
        usual = self.rows.get(cells[0][0])
        return usual is not None and any(
            label not in usual and at not in covered and not any(token[0].isdigit() for token in label)
            for label, at in cells
            if label
        )


def _above(document: Document, row: int, cell: Cell) -> Cell | None:
    """The cell right above that begins in the same column."""
    if not row or document.blank_before(row):
        return None
    return next((one for one in document.rows[row - 1] if one.start == cell.start), None)


def _blocks(documents: Sequence[Document]) -> frozenset[Label]:
    """Cells below which, in several documents, a block has more than one line, the second seldom the same."""
    seconds: dict[Label, set[Label]] = {}
    for document in documents:
        for label, second in _seconds(document):
            seconds.setdefault(label, set()).add(second)
    return frozenset(label for label, said in seconds.items() if len(said) > 1)


def _seconds(document: Document) -> list[tuple[Label, Label]]:
    """Each cell with two more right below it, and the second of these."""
    kept: list[tuple[Label, Label]] | None = document.places.get(_seconds)
    if kept is None:
        kept = document.places[_seconds] = []
        for row in range(len(document.rows) - 2):
            if document.blank_before(row + 1) or document.blank_before(row + 2):
                continue
            first = {cell.start for cell in document.rows[row + 1]}
            second = {cell.start: cell for cell in document.rows[row + 2] if cell.start in first}
            for (label, _), cell in zip(document.folded_cells(row), document.rows[row], strict=True):
                if label and cell.start in second:
                    kept.append((label, document.folded(second[cell.start].lo, second[cell.start].hi)))
    return kept


def _fixed(documents: Sequence[Document]) -> frozenset[Label]:
    """The words that all documents have. What stands among figures is a unit or a code of a row, where
    several lines have figures one below the other."""
    shared = frozenset.intersection(*(frozenset(slots(one)) for one in documents))
    return frozenset(part for part in shared if not any(_of_a_row(one, slots(one)[part][1]) for one in documents))


def _of_a_row(document: Document, at: int) -> bool:
    row = document.row_of[at]
    near = [other for other in (row - 1, row + 1) if 0 <= other < len(document.rows)]
    return tabular(document, row) and any(tabular(document, other) for other in near)


def _states(document: Document, row: int) -> bool:
    """Whether a line states an amount, a rate or a labelled value."""
    cells = document.rows[row]
    line = document.raw(cells[0].lo, cells[-1].hi)
    return ":" in line or "%" in line or bool(_AMOUNT.search(line))


_AMOUNT = re.compile(r"\d[.,]\d\d(?!\d)")


def known(documents: Sequence[Document], *, strict: bool = False, clean: bool = False) -> Known:
    """What `documents` say, of one layout. `strict`: what all of them say must be said again. `clean`: none of them is
    misread."""
    openings = Counter(label for document in documents for label in set(document.openings))
    constant = frozenset(label for label, count in openings.items() if label and count == len(documents))
    said: dict[Context, dict[int, Label]] = {}
    rows: dict[Label, frozenset[Label] | None] = {}
    inner: dict[Context, dict[int, Label]] = {}
    for place, document in enumerate(documents):
        context: Label = ()
        for row in range(len(document.rows)):
            opens = document.openings[row]
            if opens in constant:
                context = opens
            for (label, _), cell in zip(document.folded_cells(row)[1:], document.rows[row][1:], strict=True):
                inner.setdefault((context, cell.start, False), {}).setdefault(place, label)
            if opens in constant:
                cells = frozenset(label for label, _ in document.folded_cells(row))
                first = document.folded_cells(row)[0][0]
                if rows.setdefault(first, cells) != cells:
                    rows[first] = None
            elif opens:
                where = context, document.rows[row][0].start, document.blank_before(row)
                said.setdefault(where, {}).setdefault(place, opens)
    # An optional label is the same wherever it stands; free text is not.
    seldom = {label for label, count in openings.items() if count <= max(1, len(documents) / 2)}
    free = frozenset(where for where, lines in said.items() if len(set(lines.values()) & seldom) > 1)
    labels = frozenset(label for document in documents for label, _ in document.labels)
    cells = frozenset().union(*(document.said for document in documents))
    cells_free = frozenset(where for where, other in inner.items() if len(set(other.values())) > 1)
    each = [Counter(document.openings) for document in documents]
    most = {opens: max(count[opens] for count in each) for opens in constant}
    fixed = _fixed(documents) if strict else frozenset()
    return Known(
        labels, frozenset(openings), constant, free, rows, cells, cells_free, most, fixed, clean, _blocks(documents)
    )
