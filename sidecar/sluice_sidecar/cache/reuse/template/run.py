"""Rows that are told by how they read, with or without a heading above them, and which may be none at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice_sidecar.cache.reuse.template.answer import Path
from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.span import Reading
from sluice_sidecar.cache.reuse.template.table import Field

Pattern = tuple[str, ...]
"""One entry a word of a line: the word itself, or its kind."""
_FIGURE = re.compile(r"[^\w\s]*(?:[^\W\d_]{1,3}|[€$£¥₹])?[-−(]?\d[\d.,'’ ]*[^\w\s]*")


@dataclass(frozen=True, slots=True)
class Run:
    """Each line whose pattern is one of `patterns` is a row.

    `head`: the line right above the first row, below which they follow one another; without it, all lines that open
    like a row must be rows. `says`: words that stand in every row. `empty`: what the answer has where there is none.
    """

    path: Path
    head: Label | None
    says: frozenset[str]
    openings: frozenset[Label]
    patterns: frozenset[Pattern]
    fields: tuple[Field, ...]
    scalar: bool
    empty: Any
    bare: bool
    """Whether some sibling has no row."""

    def read(self, document: Document) -> "tuple[list[dict[Path, Reading | None]], Sequence[int]] | str":
        """See Table."""
        rows = self.rows(document)
        if isinstance(rows, str):
            return rows
        found = []
        for row in rows:
            values: dict[Path, Reading | None] = {}
            for field in self.fields:
                read = field.read(document, row, row + 1, row)
                if read is None or isinstance(read, str):
                    return f"column {'.'.join(field.path)} is not clear"
                values[field.path] = read
            found.append(values)
        return found, rows

    def rows(self, document: Document) -> list[int] | str:
        """The rows; or why they cannot be told."""
        if self.head is not None:
            heads = [row for row in range(len(document.rows)) if document.line(row) == self.head]
            if len(heads) > 1 or (not heads and not self.bare):
                return "the heading of the list is not where it was"
            rows = []
            row = heads[0] + 1 if heads else len(document.rows)
            while row < len(document.rows) and (row == (heads[0] + 1) or not document.blank_before(row)):
                if pattern(document, row, self.says) not in self.patterns:
                    break
                rows.append(row)
                row += 1
            if heads and (not rows or (row < len(document.rows) and not document.blank_before(row))):
                return "the list has a line of a new form"
            return rows
        rows = [row for row, opens in enumerate(document.openings) if opens in self.openings]
        if any(pattern(document, row, self.says) not in self.patterns for row in rows):
            return "the list has a line of a new form"
        return rows if rows or self.bare else "the list is empty"


def pattern(document: Document, row: int, says: frozenset[str]) -> Pattern:
    """The pattern of a line: words of `says` as they are, figures as 9, capitals as A, the rest as a."""
    cells = document.rows[row]
    words = document.words(cells[0].lo, cells[-1].hi)
    found = []
    for lo, hi in zip(words, [*words[1:], cells[-1].hi], strict=True):
        word = document.raw(lo, hi)
        found.append(word if word in says else _kind(word))
    return tuple(found)


def _kind(word: str) -> str:
    if _FIGURE.fullmatch(word):
        return "9%" if "%" in word else "9"
    if word.isalpha() and word.isupper():
        return f"A{len(word)}"
    return "a9" if any(char.isdigit() for char in word) else "a"
