"""Where a value begins, told by constant text: after a label, under a heading, some lines from an anchor."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sluice_sidecar.cache.reuse.template.document import Cell, Document, Label

ABOVE = 3
"""Lines between a heading and the value under it, at most."""
AROUND = 4
"""Lines between an anchor and a value beside it, at most."""
LONGEST = 8
"""Tokens of an anchor, at most."""


class Anchor(Protocol):
    """A way to the first token of a region. `rank`: the lower, the more it is tied to a name and less to a place."""

    @property
    def rank(self) -> int:
        """See above."""

    def locate(self, document: Document) -> int | None:
        """The first token; None when the anchor is absent or stands in more than one place."""


@dataclass(frozen=True, slots=True)
class After:
    """Right after a label, on the same line. `section`: the first such label below that constant text."""

    label: Label
    opens: bool
    section: Label | None = None

    @property
    def rank(self) -> int:
        """See Anchor."""
        return (0 if self.section is None else 1) + (not self.opens)

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        found = document.occurrences(self.label)
        if self.opens and len(found) > 1:
            found = [at for at in found if document.cell(at).lo == at]
        at = _only(document, found, self.section)
        if at is None:
            return None
        value = at + len(self.label)
        return value if value < document.row_end(at) else None


@dataclass(frozen=True, slots=True)
class Below:
    """The cell that shares columns with a heading, `down` lines beneath it."""

    label: Label
    down: int
    section: Label | None = None

    @property
    def rank(self) -> int:
        """See Anchor."""
        return self.down + (self.section is not None)

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        heads = [at for at in document.occurrences(self.label) if document.cell(at).lo == at]
        at = _only(document, heads, self.section)
        if at is None or document.row_of[at] + self.down >= len(document.rows):
            return None
        best = overlapping(document.rows[document.row_of[at] + self.down], document.cell(at))
        return None if best is None else best.lo


@dataclass(frozen=True, slots=True)
class Beside:
    """Cell number `place` (from the right if negative) of the line `down` lines from the one an anchor opens.

    `left`: what stands before it on its line; a line that begins otherwise is another field.
    """

    label: Label
    down: int
    place: int
    left: Label

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 3 + (abs(self.down) > 1)

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        at = _only(document, [at for at in document.occurrences(self.label) if document.cell(at).lo == at], None)
        return None if at is None else _nth(document, document.row_of[at] + self.down, self.place, self.left)


@dataclass(frozen=True, slots=True)
class Edge:
    """Cell number `place` of line number `row` of the text, both from the end if negative."""

    row: int
    place: int
    left: Label

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 5

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        row = self.row if self.row >= 0 else len(document.rows) + self.row
        return _nth(document, row, self.place, self.left)


@dataclass(frozen=True, slots=True)
class Before:
    """The start of the cell in which a constant text stands behind the value ("12 packages")."""

    label: Label

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 2

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        at = _only(document, document.occurrences(self.label), None)
        return None if at is None or document.cell(at).lo == at else document.cell(at).lo


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell that always says the same, beside a line that always says the same: `line`, `down` lines from it."""

    text: Label
    line: Label
    down: int

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 2

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        for at in document.occurrences(self.text):
            cell, row = document.cell(at), document.row_of[at] + self.down
            whole = cell.lo == at and cell.hi == at + len(self.text)
            if whole and 0 <= row < len(document.rows) and document.line(row) == self.line:
                return at
        return None


@dataclass(frozen=True, slots=True)
class Sole:
    """The only date of the document."""

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 3

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        return document.at_start.get(document.dates[0].start) if len(document.dates) == 1 else None


def _only(document: Document, found: Sequence[int], section: Label | None) -> int | None:
    if section is None:
        return found[0] if len(found) == 1 else None
    heads = document.occurrences(section)
    if len(heads) != 1:
        return None
    return next((at for at in found if at > heads[0]), None)


def _nth(document: Document, row: int, place: int, left: Label) -> int | None:
    if not 0 <= row < len(document.rows):
        return None
    cells = document.rows[row]
    if not -len(cells) <= place < len(cells):
        return None
    at = cells[place].lo
    return at if tuple(document.tokens[cells[0].lo : at]) == left else None


def overlapping(cells: Sequence[Cell], head: Cell) -> Cell | None:
    """The cell that shares most columns with a heading; None when none does, or two do alike."""
    shared = [(min(cell.end, head.end) - max(cell.start, head.start), cell) for cell in cells]
    shared = [(columns, cell) for columns, cell in shared if columns > 0]
    if not shared:
        return None
    best = max(columns for columns, _ in shared)
    chosen = [cell for columns, cell in shared if columns == best]
    return chosen[0] if len(chosen) == 1 else None


def anchors(document: Document, at: int, peers: Sequence[Document], by_name: bool) -> Iterator[Anchor]:
    """The ways to token `at`, by a name or by a place, whose anchors stand in the `peers` too, but for one at most."""
    cell, row = document.cell(at), document.row_of[at]
    cells = document.rows[row]

    def known(label: Label) -> bool:
        return (
            0 < len(label) <= LONGEST
            and any(token[0].isalpha() or token[0] in "#№" for token in label)
            and ("%" in label or not any(token[0].isdigit() for token in label))
            and _shared(label, peers)
        )

    if not by_name:
        if at == cell.lo or Sole().locate(document) == at:
            yield from _by_place(document, at, known)
        return
    labels: list[tuple[Label, bool]] = []
    if at > cell.lo:
        labels.append((tuple(document.tokens[cell.lo : at]), True))
        if document.cell_of[at] and not any(token.isalpha() for token in document.tokens[cell.lo : at]):
            labels.append((tuple(document.tokens[cells[document.cell_of[at] - 1].lo : at]), True))
        words = document.words(cell.lo, at)
        labels += [(tuple(document.tokens[word:at]), False) for word in words[-2:] if word > cell.lo]
    else:
        place = document.cell_of[at]
        for before in range(place - 1, max(-1, place - 3), -1):
            labels.append((tuple(document.tokens[cells[before].lo : at]), True))
    sections = _heads_above(document, row, known)
    for label, opens in labels:
        if known(label):
            if len(document.occurrences(label)) == 1 or opens:
                yield After(label, opens)
            if len(document.occurrences(label)) > 1:
                yield from (After(label, opens, section) for section in sections if section != label)
    if at > cell.lo:
        return
    for down in (-1, 1):
        if 0 <= row + down < len(document.rows):
            standing = Standing(tuple(document.tokens[cell.lo : cell.hi]), document.line(row + down), down)
            if sum(standing.locate(peer) is None for peer in peers) <= (len(peers) > 1):
                yield standing
    first = cells[0]
    if at > first.lo and known(_label(document, first)) and not document.tokens[at - 1][0].isdigit():
        return  # a line with a label of its own is no part of a column above it
    for down in range(1, min(ABOVE, row) + 1):
        head = overlapping(document.rows[row - down], cell)
        if head is not None:
            label = _label(document, head)
            if known(label):
                yield Below(label, down)
                if len(document.occurrences(label)) > 1:
                    yield from (Below(label, down, section) for section in sections if section != label)


def _by_place(document: Document, at: int, known: Callable[[Label], bool]) -> Iterator[Anchor]:
    if Sole().locate(document) == at:
        yield Sole()
    row = document.row_of[at]
    cells = document.rows[row]
    left = tuple(document.tokens[cells[0].lo : at])
    if any(token[0].isdigit() for token in left):
        return
    places = (document.cell_of[at], document.cell_of[at] - len(cells))
    for down in range(1 - AROUND, AROUND):
        if 0 <= row - down < len(document.rows) and down:
            label = _label(document, document.rows[row - down][0])
            if known(label) and len(document.occurrences(label)) == 1:
                yield from (Beside(label, down, place, left) for place in places)
    for edge in (row, row - len(document.rows)):
        if -10 <= edge < 10:
            yield from (Edge(edge, place, left) for place in places)


def _shared(label: Label, peers: Sequence[Document]) -> bool:
    return sum(not peer.occurrences(label) for peer in peers) <= (len(peers) > 1)


def behind(document: Document, lo: int, hi: int, peers: Sequence[Document]) -> Iterator[Before]:
    """The way to a value [lo, hi) that opens its cell, by the words behind it."""
    cell = document.cell(lo)
    label = tuple(document.tokens[hi : cell.hi])
    worded = any(token[0].isalpha() for token in label) and not any(token[0].isdigit() for token in label)
    if lo == cell.lo and len(label) <= LONGEST and worded and _shared(label, peers):
        yield Before(label)


def _label(document: Document, cell: Cell) -> Label:
    """A heading: the cell, or what stands before its colon (with it) or before its first figure."""
    tokens = document.tokens[cell.lo : cell.hi]
    if ":" in tokens:
        return tuple(tokens[: tokens.index(":") + 1])
    figure = next((at for at, token in enumerate(tokens) if token[0].isdigit()), len(tokens))
    return tuple(tokens[:figure]) if any(token[0].isalpha() for token in tokens[:figure]) else tuple(tokens)


def _heads_above(document: Document, row: int, known: Callable[[Label], bool]) -> list[Label]:
    """The two nearest anchors above a row that stand once in the document."""
    found: list[Label] = []
    for above in range(row - 1, max(-1, row - 14), -1):
        label = _label(document, document.rows[above][0])
        if known(label) and len(document.occurrences(label)) == 1:
            found.append(label)
            if len(found) == 2:
                break
    return found
