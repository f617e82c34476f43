"""A document as an extraction sees it: tokens in lines and cells, with columns, and the typed values in it."""

import re
from bisect import bisect_left
from collections.abc import Collection
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.mending import Mended, Mender
from sluice_sidecar.cache.reuse.template.values import STYLES, DateAt, MarkAt, NumberAt, dates, marks, numbers

TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
KEPT = 16_384
"""Characters of a document that is worth keeping, some 100 bytes of memory each."""
GAP = 2
"""Columns of space between two cells of a line; one space stands between words."""
LEADER = re.compile(r"(?<=[^\W_])[ ]?(?:\.{4,}|(?:\. ){4,}|_{4,})[ ]?")
"""Dots that lead from a label to its value."""
BARS = frozenset("|│¦║")
RULERS = frozenset("-=_*.+~─═|│#")

Label = tuple[str, ...]
"""Consecutive tokens of one line."""


class Cell(NamedTuple):
    """Tokens [lo, hi) between two gaps of a line; `start` and `end` are its columns."""

    lo: int
    hi: int
    start: int
    end: int


class Document:
    """Tokens are numbered through the whole text; `rows` are the lines that are neither blank nor a ruler."""

    def __init__(self, text: str, mender: Mender | None = None) -> None:
        lines = [line.expandtabs(8).rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        self.text = "\n".join(lines)
        self.mended: Mended | None = None
        if mender is not None:
            self.mended = mender.mend(self.text)
            self.text = self.mended.text
            lines = self.text.split("\n")
        self.tokens: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.row_of: list[int] = []
        self.cell_of: list[int] = []
        self.rows: list[list[Cell]] = []
        self.line_of_row: list[int] = []
        self.index: dict[str, list[int]] = {}
        self.at_start: dict[int, int] = {}
        offset = 0
        for number, line in enumerate(lines):
            self._read(number, line, offset)
            offset += len(line) + 1
        self._found: dict[Label, list[int]] = {}
        self._numbers: dict[str, list[NumberAt]] = {}
        self._folded: dict[int, list[tuple[Label, int]]] = {}
        self._words: dict[tuple[int, int], list[int]] = {}
        self.sites: dict[object, int | None] = {}
        """What anchors found here, kept because many rules share one."""
        self.places: dict[object, Any] = {}
        """Where values stand, kept because each fold of an induction asks."""

    def _read(self, number: int, line: str, offset: int) -> None:
        if not line or set(line) <= RULERS | {" "}:
            return
        line = LEADER.sub(lambda dots: " " * len(dots[0]), line)
        row, cells = len(self.rows), []
        lo, last, barred = len(self.tokens), 0, True
        for found in TOKEN.finditer(line):
            token, start = found[0], found.start()
            if token in BARS:
                barred = True
                continue
            at = len(self.tokens)
            if at > lo and (barred or start - last >= GAP):
                cells.append(self._cell(lo, at, offset))
                lo = at
            barred = False
            last = found.end()
            self.tokens.append(token)
            self.starts.append(offset + start)
            self.ends.append(offset + last)
            self.at_start[offset + start] = at
            self.row_of.append(row)
            self.cell_of.append(len(cells))
            self.index.setdefault(token, []).append(at)
        if len(self.tokens) > lo:
            cells.append(self._cell(lo, len(self.tokens), offset))
        if cells:
            self.rows.append(cells)
            self.line_of_row.append(number)

    def _cell(self, lo: int, hi: int, offset: int) -> Cell:
        return Cell(lo, hi, self.starts[lo] - offset, self.ends[hi - 1] - offset)

    def occurrences(self, label: Label) -> list[int]:
        """Tokens at which `label` begins, within one line."""
        found = self._found.get(label)
        if found is None:
            size, tokens, rows = len(label), self.tokens, self.row_of
            found = self._found[label] = [
                at
                for at in self.index.get(label[0], ())
                if tuple(tokens[at : at + size]) == label and rows[at] == rows[at + size - 1]
            ]
        return found

    def column(self, lo: int, hi: int) -> list[int]:
        """Tokens [lo, hi), of several lines those alone whose cell begins in the column of the first."""
        if hi <= lo or self.row_of[lo] == self.row_of[hi - 1]:
            return list(range(lo, hi))
        start = self.cell(lo).start
        return [at for at in range(lo, hi) if self.cell(at).start == start]

    def below(self, lo: int, stops: Collection[Label]) -> bool:
        """Whether the cell of a token goes on in the line right below: a cell in its column without a colon, in a line
        that opens with none of `stops`."""
        row, start = self.row_of[lo] + 1, self.cell(lo).start
        if row >= len(self.rows) or self.blank_before(row) or self.openings[row] in stops:
            return False
        under = next((cell for cell in self.rows[row] if cell.start == start), None)
        return under is not None and ":" not in self.tokens[under.lo : under.hi]

    def touched(self, lo: int, hi: int) -> bool:
        """Whether a word among tokens [lo, hi) was mended."""
        return self.mended is not None and hi > lo and self.mended.touches(self.starts[lo], self.ends[hi - 1])

    def origin(self, position: int) -> int:
        """A place of the text before it was mended."""
        return position if self.mended is None else self.mended.origin(position)

    def raw(self, lo: int, hi: int) -> str:
        """The text of tokens [lo, hi)."""
        return self.text[self.starts[lo] : self.ends[hi - 1]]

    def cell(self, at: int) -> Cell:
        """The cell around token `at`."""
        return self.rows[self.row_of[at]][self.cell_of[at]]

    def row_end(self, at: int) -> int:
        """One past the last token of the line around token `at`."""
        return self.rows[self.row_of[at]][-1].hi

    def glued(self, at: int) -> bool:
        """Whether no space stands before token `at`."""
        return at > 0 and self.ends[at - 1] == self.starts[at]

    def words(self, lo: int, hi: int) -> list[int]:
        """First tokens of the words (parted by space) within [lo, hi)."""
        found = self._words.get((lo, hi))
        if found is None:
            starts, ends = self.starts, self.ends
            found = [at for at in range(lo, hi) if at == lo or ends[at - 1] != starts[at]]
            self._words[(lo, hi)] = found
        return found

    def numbers(self, style: str) -> list[NumberAt]:
        """Every number as `style` reads it, by position in the text."""
        if style not in self._numbers:
            self._numbers[style] = numbers(self.text, style)
        return self._numbers[style]

    @cached_property
    def by_value(self) -> dict[float, list[tuple[str, NumberAt]]]:
        """Style and place of every number, by its value."""
        found: dict[float, list[tuple[str, NumberAt]]] = {}
        for style in STYLES:
            for number in self.numbers(style):
                found.setdefault(round(number.value, 6), []).append((style, number))
        return found

    @cached_property
    def dates(self) -> list[DateAt]:
        """Every date, with each order of day and month that it allows."""
        return dates(self.text)

    @cached_property
    def marks(self) -> list[MarkAt]:
        """Every currency symbol or code."""
        return marks(self.text)

    @cached_property
    def openings(self) -> list[Label]:
        """The words that open each line, up to its first figure or colon."""
        found = []
        for cells in self.rows:
            tokens = self.tokens[cells[0].lo : cells[0].hi]
            stop = next((i for i, token in enumerate(tokens) if token[0] == ":" or token[0].isdigit()), len(tokens))
            found.append(folded(tokens[:stop]))
        return found

    @cached_property
    def labels(self) -> list[tuple[Label, int]]:
        """Words before a colon, and where they begin."""
        found = []
        for colon in self.index.get(":", ()):
            first = self.cell(colon).lo
            lo = colon
            while lo > first and self.tokens[lo - 1] != ":" and not self.tokens[lo - 1][0].isdigit():
                lo -= 1
            label = folded(self.tokens[lo:colon])
            if label:
                found.append((label, lo))
        return found

    def folded_cells(self, row: int) -> list[tuple[Label, int]]:
        """The cells of a line regardless of case, and where they begin."""
        found = self._folded.get(row)
        if found is None:
            found = [(folded(self.tokens[cell.lo : cell.hi]), cell.lo) for cell in self.rows[row]]
            self._folded[row] = found
        return found

    @cached_property
    def said(self) -> frozenset[Label]:
        """Every cell, regardless of case."""
        return frozenset(label for row in range(len(self.rows)) for label, _ in self.folded_cells(row))

    def folded(self, lo: int, hi: int) -> Label:
        """Tokens [lo, hi) regardless of case, punctuation at either end left out."""
        return folded(self.tokens[lo:hi])

    def after(self, position: int) -> int:
        """The first token at or behind a position in the text."""
        return bisect_left(self.starts, position)

    def line(self, row: int) -> Label:
        """The tokens of a line."""
        cells = self.rows[row]
        return tuple(self.tokens[cells[0].lo : cells[-1].hi])

    def blank_before(self, row: int) -> bool:
        """Whether a blank line or a ruler stands above a row."""
        return row > 0 and self.line_of_row[row] - self.line_of_row[row - 1] > 1


def folded(tokens: list[str] | Label) -> Label:
    """Tokens regardless of case, punctuation at either end left out."""
    kept = [token.casefold() for token in tokens]
    while kept and not kept[-1][0].isalnum():
        kept.pop()
    while kept and not kept[0][0].isalnum():
        kept.pop(0)
    return tuple(kept)


def read(text: str) -> Document:
    """The document of a text; the last few are kept, because one is read again as a sibling of the next."""
    return _kept(text) if len(text) <= KEPT else Document(text)


@lru_cache(maxsize=64)
def _kept(text: str) -> Document:
    return Document(text)


def tokens_of(text: str) -> Label:
    """The tokens of a value."""
    return tuple(TOKEN.findall(text))
