"""Line items: which lines are rows, where they begin and end, and where in a row each value stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sluice_sidecar.cache.reuse.template.anchor import overlapping
from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.form import decimals
from sluice_sidecar.cache.reuse.template.leaf import same
from sluice_sidecar.cache.reuse.template.span import Reader, Reading, Typed


@dataclass(frozen=True, slots=True)
class Column:
    """Where a row's value begins: under a heading cell, or in a cell or word counted from the left or the right."""

    head: Label | None = None
    cell: int | None = None
    word: int | None = None

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 0 if self.cell is not None or self.head else 1

    def locate(self, document: Document, row: int, head_row: int) -> int | None:
        """The first token in line `row` of the table whose heading is line `head_row`."""
        cells = document.rows[row]
        if self.head is not None:
            heads = [c for c in document.rows[head_row] if tuple(document.tokens[c.lo : c.hi]) == self.head]
            under = overlapping(cells, heads[0]) if len(heads) == 1 else None
            return None if under is None else under.lo
        if self.cell is not None:
            return cells[self.cell].lo if -len(cells) <= self.cell < len(cells) else None
        words = document.words(cells[0].lo, cells[-1].hi)
        return words[self.word] if self.word is not None and -len(words) <= self.word < len(words) else None


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The text of a cell and of the cells right under it, until the next row."""

    join: str
    rank: int = 0

    def read(self, document: Document, at: int, last: int) -> Reading:
        """`last`: one past the row's last line."""
        cell = document.cell(at)
        parts, hi = [document.raw(at, cell.hi)], cell.hi
        for row in range(document.row_of[at] + 1, last):
            under = next((c for c in document.rows[row] if c.start == cell.start), None)
            if under is not None:
                parts.append(document.raw(under.lo, under.hi))
                hi = under.hi
        return Reading(self.join.join(parts), at, hi)


CellRule = tuple[Column, Reader | Wrapped, int]
"""Where in a line, what is read there, and how many lines below the row's first."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the answer."""

    path: Path
    rules: tuple[CellRule, ...]
    optional: bool
    absent: Any
    whole: bool
    decimals: int = 0
    """See Leaf."""

    def read(self, document: Document, row: int, last: int, head_row: int) -> Reading | Literal["ambiguous"] | None:
        """The value in the row of lines [row, last)."""
        found: Reading | None = None
        for column, reader, down in self.rules:
            read = read_cell(document, column, reader, row + down, last, head_row)
            if read is None:
                continue
            if found is not None and not same(found.value, read.value):
                return "ambiguous"
            found = found or read
        if found is not None and self.decimals and decimals(document.raw(found.lo, found.hi)) != self.decimals:
            return "ambiguous"
        if found is not None and isinstance(found.value, float) and found.value.is_integer() and self.whole:
            return found._replace(value=int(found.value))
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """`head` opens the line above the first row by `down` lines; `enders` open the line after the last row.

    `widths`: how many cells a row's first line has. `shapes`: their kinds, which count where no column is a number.
    `below`: kinds of further lines of a row.
    """

    path: Path
    head: Label
    heads: Label
    down: int
    enders: frozenset[Label]
    at_end: bool
    widths: frozenset[int]
    shapes: frozenset[str]
    below: frozenset[str]
    fields: tuple[Field, ...]
    scalar: bool
    again: bool = False
    """The heading stands again on further pages of some siblings."""
    tight: bool = False
    """No blank line stands between rows: one ends the table."""

    def read(self, document: Document) -> "tuple[list[dict[Path, Reading | None]], range] | str":
        """The rows and their lines, or the reason why they cannot be told."""
        lines = self.rows(document)
        if isinstance(lines, str):
            return lines
        head_row, spans = lines
        found = []
        for row, last in spans:
            values: dict[Path, Reading | None] = {}
            for field in self.fields:
                read = field.read(document, row, last, head_row)
                if isinstance(read, str):
                    return f"column {'.'.join(field.path)} is ambiguous"
                if read is None and not field.optional:
                    return f"column {'.'.join(field.path)} is empty"
                values[field.path] = read
            found.append(values)
        return found, range(head_row, spans[-1][1])

    def rows(self, document: Document) -> tuple[int, list[tuple[int, int]]] | str:
        """The heading's line and the lines [first, last) of each row; or why they cannot be told."""
        heads = [at for at in document.occurrences(self.head) if document.rows[document.row_of[at]][0].lo == at]
        heads = [at for at in heads if document.line(document.row_of[at]) == self.heads]
        if not heads or (len(heads) > 1 and not self.again):
            return "the heading of the table is not where it was"
        head_row, again = document.row_of[heads[0]], {document.row_of[at] for at in heads[1:]}
        starts: list[int] = []
        ends: list[int] = []
        row = head_row + self.down
        while row < len(document.rows) and document.openings[row] not in self.enders:
            if self.tight and starts and document.blank_before(row):
                break
            if self.again and row in again:
                ends.append(row)
            elif self._starts(document, row, head_row):
                starts.append(row)
            elif not (starts and line_shape(document, row) in self.below):
                return "a line of the table has a new form"
            row += 1
        if row == len(document.rows) and not self.at_end:
            return "the table has no end"
        if not starts:
            return "the table is empty"
        return head_row, spans(starts, ends, row)

    def _starts(self, document: Document, row: int, head_row: int) -> bool:
        """Whether a row begins at a line: as wide as the rows seen, and each number is where it must be."""
        if len(document.rows[row]) not in self.widths:
            return False
        first = [f for f in self.fields if not f.optional and any(down == 0 for _, _, down in f.rules)]
        typed = any(isinstance(reader, Typed) for f in first for _, reader, _ in f.rules)
        if not typed and line_shape(document, row) not in self.shapes:
            return False
        return all(field.read(document, row, row + 1, head_row) is not None for field in first)


def spans(starts: Sequence[int], breaks: Sequence[int], end: int) -> list[tuple[int, int]]:
    """The lines [first, last) of rows that begin at `starts`: up to the next row, a heading again or the end."""
    return [
        (first, min([following, *(row for row in breaks if first < row)]))
        for first, following in zip(starts, [*starts[1:], end], strict=True)
    ]


def read_cell(
    document: Document, column: Column, reader: Reader | Wrapped, row: int, last: int, head_row: int
) -> Reading | None:
    """What one rule reads in the row whose line is `row`."""
    if row >= len(document.rows):
        return None
    at = column.locate(document, row, head_row)
    if at is None:
        return None
    return reader.read(document, at, last) if isinstance(reader, Wrapped) else reader.read(document, at)


def line_shape(document: Document, row: int) -> str:
    """One letter a cell: n for figures, t for anything else."""
    return " ".join(_kind(document, cell.lo, cell.hi) for cell in document.rows[row])


def _kind(document: Document, lo: int, hi: int) -> str:
    figures = [_figure(document, at, end) for at, end in _words(document, lo, hi)]
    return "n" if all(figures) else "t"


def _words(document: Document, lo: int, hi: int) -> Iterator[tuple[int, int]]:
    words = document.words(lo, hi)
    yield from zip(words, [*words[1:], hi], strict=True)


def _figure(document: Document, lo: int, hi: int) -> bool:
    tokens = document.tokens[lo:hi]
    letters = sum(len(token) for token in tokens if token[0].isalpha())
    return any(token[0].isdigit() for token in tokens) and letters <= 3
