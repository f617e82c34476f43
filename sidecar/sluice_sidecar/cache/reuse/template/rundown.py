"""Learns rows that are told by how they read: which lines hold the items, and what these lines have in common."""

from collections.abc import Sequence

from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.itemisation import Itemisation, Located
from sluice_sidecar.cache.reuse.template.location import Item, flat, locate_rows
from sluice_sidecar.cache.reuse.template.run import Run, pattern


class Rundown(Itemisation):
    """An itemisation without a heading that all documents have, or with empty lists."""

    def _locate(self) -> None:
        self.rows: list[list[int]] = []
        items: list[list[Item]] = []
        if any(value is not None and not isinstance(value, list) for value in self.values):
            return
        for document, value in zip(self.documents, self.values, strict=True):
            each = [flat(item) for item in value or ()]
            rows = locate_rows(document, each) if each else []
            if rows is None:
                return
            self.rows.append(rows)
            items.append(each)
        if any(self.rows):
            self.located = [
                Located(rows[0] if rows else 0, [(row, row + 1) for row in rows], each)
                for rows, each in zip(self.rows, items, strict=True)
            ]

    def table(self, chosen: Sequence[int]) -> Run | None:  # type: ignore[override]
        """See Itemisation."""
        if self.located is None:
            return None
        lacking = [self.values[i] for i in chosen if not self.values[i]]
        if any(value != lacking[0] for value in lacking):
            return None
        lines = [(self.documents[i], row) for i in chosen for row in self.rows[i]]
        if not lines:
            return None
        fields = []
        for path in dict.fromkeys(path for i in chosen for item in self.located[i].items for path in item):
            field = self._field(path, chosen)
            if field is None or field.optional:
                return None
            fields.append(field)
        says = frozenset.intersection(*(_letters(document, row) for document, row in lines))
        heads = {
            d.line(self.rows[i][0] - 1) for i in chosen if self.rows[i] and self.rows[i][0] for d in [self.documents[i]]
        }
        openings = frozenset(document.openings[row] for document, row in lines)
        head = heads.pop() if len(heads) == 1 else None
        for at in (None, head):
            if at is None and (len(openings) > 1 or () in openings):
                continue
            run = Run(
                self.path, at, says, openings, frozenset(pattern(d, row, says) for d, row in lines), tuple(fields),
                self.scalar, lacking[0] if lacking else [], bool(lacking),
            )  # fmt: skip
            if all(run.rows(self.documents[i]) == self.rows[i] for i in chosen):
                return run
        return None


def _letters(document: Document, row: int) -> frozenset[str]:
    cells = document.rows[row]
    words = document.words(cells[0].lo, cells[-1].hi)
    texts = (document.raw(lo, hi) for lo, hi in zip(words, [*words[1:], cells[-1].hi], strict=True))
    return frozenset(text for text in texts if any(char.isalpha() for char in text))
