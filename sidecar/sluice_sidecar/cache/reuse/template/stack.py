"""Labels below one another, then their values in the same order, as a PDF's text in reading order has them."""

from collections import Counter
from collections.abc import Iterator, Sequence
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
        rows = [row for row, one in enumerate(opens) if one == self.label]
        if len(rows) != 1:
            return None
        first = last = rows[0]
        while first > 0 and opens[first - 1] in self.labels and not document.blank_before(first):
            first -= 1
        while last + 1 < len(opens) and opens[last + 1] in self.labels and not document.blank_before(last + 1):
            last += 1
        count = last - first + 1
        end = first + 2 * count
        if count < 2 or end > len(opens) or any(document.blank_before(row) for row in range(first + 1, end)):
            return None
        if any(len(document.rows[row]) > 1 for row in range(first, end)):
            return None
        return document.rows[rows[0] + count][0].lo


def stack_labels(documents: Sequence[Document]) -> frozenset[Label]:
    """Openings that stand once in a document, and in several documents."""
    found: Counter[Label] = Counter()
    for document in documents:
        once = Counter(document.openings)
        found.update(label for label, count in once.items() if label and count == 1)
    return frozenset(label for label, count in found.items() if count >= max(2, SHARE * len(documents)))


def stacked(document: Document, at: int, labels: frozenset[Label]) -> Iterator[Stacked]:
    """The ways to token `at`, the first of its line."""
    row = document.row_of[at]
    if document.rows[row][0].lo != at:
        return
    for above in range(row - 2, max(-1, row - MOST), -1):
        if document.blank_before(above + 1):
            return
        if document.openings[above] in labels:
            anchor = Stacked(document.openings[above], labels)
            if anchor.locate(document) == at:
                yield anchor
