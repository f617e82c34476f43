"""What a new document says that no sibling said: a label, a field, a column. Nothing is given then."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sluice_sidecar.cache.reuse.template.derived import segments, tabular
from sluice_sidecar.cache.reuse.template.document import Document, Label
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

    def surprise(self, document: Document, covered: Collection[int], rows: Collection[int]) -> str | None:
        """What is new and stands outside of the tokens and lines of tables that were read; None if nothing is."""
        if self.fixed:
            lost = [part for part in self.fixed if part not in segments(document)]
            if lost:
                return f"words that every sibling has are missing: {' '.join(lost[0])[:40]}"
        for label, at in document.labels:
            if at not in covered and label not in self.labels:
                return f"a label that no sibling has: {' '.join(label)[:40]}"
        often = Counter(opens for row, opens in enumerate(document.openings) if opens in self.most and row not in rows)
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


def known(documents: Sequence[Document], *, strict: bool = False) -> Known:
    """What `documents` say, of one layout. `strict`: what all of them say must be said again."""
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
    free = frozenset(where for where, lines in said.items() if len(set(lines.values())) > 1)
    labels = frozenset(label for document in documents for label, _ in document.labels)
    cells = frozenset().union(*(document.said for document in documents))
    cells_free = frozenset(where for where, other in inner.items() if len(set(other.values())) > 1)
    each = [Counter(document.openings) for document in documents]
    most = {opens: max(count[opens] for count in each) for opens in constant}
    fixed = frozenset.intersection(*(frozenset(segments(one)) for one in documents)) if strict else frozenset()
    return Known(labels, frozenset(openings), constant, free, rows, cells, cells_free, most, fixed)
