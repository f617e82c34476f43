"""Labels below one another, then their values in the same order, as a PDF's text in reading order has them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sluice_sidecar.cache.reuse.template.document import Document, Label

SHARE = 0.4
"""Share of the siblings that have a line's opening, from which it may be a label."""
MOST = 12
"""Labels of a stack, at most."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """The value as far below the first value as its label is below the first label. `labels`: all that may be there."""

    label: Label
    labels: frozenset[Label]

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 3

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        opens = document.openings
        rows = [row for row, one in enumerate(opens) if one == self.label and is_label(document, row)]
        if len(rows) != 1:
            return None
        first = last = rows[0]
        while first > 0 and self._goes_on(document, first - 1) and not document.blank_before(first):
            first -= 1
        while last + 1 < len(opens) and self._goes_on(document, last + 1) and not document.blank_before(last + 1):
            last += 1
        count = last - first + 1
        end = first + 2 * count
        if end > len(opens) or any(document.blank_before(row) for row in range(first + 1, end)):
            return None
        if any(len(document.rows[row]) > 1 for row in range(first, end)):
            return None
        # Behind the values a block ends or another label stands: else some label is one that no sibling has.
        if end < len(opens) and not document.blank_before(end) and not self._goes_on(document, end):
            return None
        return document.rows[rows[0] + count][0].lo

    def _goes_on(self, document: Document, row: int) -> bool:
        return document.openings[row] in self.labels and is_label(document, row)


def is_label(document: Document, row: int) -> bool:
    """Whether a line may be a label of a stack: no figures but a rate or what stands in parentheses."""
    cells = document.rows[row]
    tokens = document.tokens[cells[0].lo : cells[-1].hi]
    return "%" in tokens or "(" in tokens or not any(token[0].isdigit() for token in tokens)


def stack_labels(documents: Sequence[Document], values: Collection[Label] = ()) -> frozenset[Label]:
    """Openings of lines that several documents have, but for `values`, which answers have."""
    found: Counter[Label] = Counter()
    for document in documents:
        found.update({label for row, label in enumerate(document.openings) if label and is_label(document, row)})
    for value in values:
        found.pop(value, None)
    return frozenset(label for label, count in found.items() if count >= max(2, SHARE * len(documents)))


def stacked(document: Document, at: int, labels: frozenset[Label]) -> Iterator[Stacked]:
    """The ways to token `at`, the first of its line."""
    row = document.row_of[at]
    if document.rows[row][0].lo != at:
        return
    for above in range(row - 1, max(-1, row - MOST), -1):
        if document.blank_before(above + 1):
            return
        if document.openings[above] in labels:
            anchor = Stacked(document.openings[above], labels)
            if anchor.locate(document) == at:
                yield anchor
