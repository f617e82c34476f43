"""What is read from where an anchor leads: an extent of text and the form that its value takes in the answer."""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sluice_sidecar.cache.reuse.template.document import Document, Label

NUMBERS = frozenset({"number", "plain", "percent", "written", "magnitude", "unsigned"})
"""Kinds of Typed that read a number."""
BLOCK = 7
"""Lines of an address, at most."""


class Reading(NamedTuple):
    """A value and the tokens [lo, hi) that it was read from."""

    value: Any
    lo: int
    hi: int


class Reader(Protocol):
    """See the module. `rank`: the lower, the less it depends on the very values that were seen."""

    @property
    def rank(self) -> int:
        """See above."""

    def read(self, document: Document, at: int) -> Reading | None:
        """The value that stands from token `at` on; None when none of this kind does."""


_SPACES = re.compile(" {2,}")
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "slug": lambda text: re.sub(r"[\W_]+", "_", text.casefold()).strip("_"),
    "lines": lambda text: "\n".join(part.strip() for part in text.split(",")),
}


@dataclass(frozen=True, slots=True)
class Text:
    """Words as they stand, in the case that `form` names.

    `extent`: the rest of the cell or of the line; the next `size` words; all words of the cell but the last `size`;
    the last `size` words; up to the first `stop` token or what follows it; or a block, the cells below one another,
    joined by `stop`. `skip`: words left out at the start, or at the end by the last words.
    """

    extent: str
    form: str = "plain"
    skip: int = 0
    size: int = 0
    stop: str = ""
    stops: frozenset[Label] = frozenset()
    """Openings of lines that are no more of a block."""

    @property
    def rank(self) -> int:
        """See Reader."""
        natural = {"cell": 0, "line": 0, "block": 0, "until": 1, "after": 1}
        return natural.get(self.extent, 2) + (self.skip > 0) + (self.size > 0 and self.extent == "block") * 2

    @property
    def counts(self) -> bool:
        """Whether it rests on a number of words or lines, which a few siblings may share by chance."""
        return self.size > 1 or self.skip > 1

    def read(self, document: Document, at: int) -> Reading | None:
        """See Reader."""
        if self.extent == "block":
            return self._block(document, at)
        end = document.cell(at).hi
        if self.extent in {"line", "line_but"}:
            end = _unlabelled(document, at)
        words = document.words(at, end)
        if self.extent == "last":
            if len(words) < self.size + self.skip or not self.size:
                return None
            return self._of(document, words[-self.size - self.skip], words[-self.skip] if self.skip else end)
        if len(words) <= self.skip:
            return None
        lo = words[self.skip]
        if self.extent == "words":
            last = self.skip + self.size
            return self._of(document, lo, words[last] if last < len(words) else end) if last <= len(words) else None
        if self.extent in {"but", "line_but"}:
            return self._of(document, lo, words[-self.size]) if len(words) > self.skip + self.size else None
        if self.extent == "until":
            hi = next((token for token in range(lo + 1, end) if document.tokens[token] == self.stop), None)
            return None if hi is None else self._of(document, lo, hi)
        if self.extent == "after":
            mark = next((token for token in range(lo, end - 1) if document.tokens[token] == self.stop), None)
            return None if mark is None else self._of(document, mark + 1, end)
        return self._of(document, lo, end)

    def _of(self, document: Document, lo: int, hi: int) -> Reading:
        return Reading(FORMS[self.form](single_spaced(document.raw(lo, hi))), lo, hi)

    def _block(self, document: Document, at: int) -> Reading | None:
        lines = block(document, at, self.stops)
        if self.size:
            if len(lines) < self.size:
                return None
            lines = lines[: self.size]
        lines = lines[self.skip :]
        if not lines:
            return None
        texts = [single_spaced(document.raw(lo, hi)) for lo, hi in lines]
        join = self.stop
        return Reading(FORMS[self.form](join.join(texts)), lines[0][0], lines[-1][1])


def _unlabelled(document: Document, at: int) -> int:
    """One past the line's last token, or where a cell with a label of its own begins."""
    cells = document.rows[document.row_of[at]]
    for cell in cells[document.cell_of[at] + 1 :]:
        if ":" in document.tokens[cell.lo : cell.hi]:
            return cell.lo
    return cells[-1].hi


def single_spaced(text: str) -> str:
    """Runs of spaces as one; a space that does not break a line stays what it is."""
    return _SPACES.sub(" ", text)


def block(document: Document, at: int, stops: Collection[Label] = ()) -> list[tuple[int, int]]:
    """The cells that begin in the same column on the lines below, up to a blank line, a label or a line that opens with
    one of `stops`."""
    key = block, at, stops if isinstance(stops, frozenset) else frozenset(stops)
    lines: list[tuple[int, int]] | None = document.places.get(key)
    if lines is None:
        lines = document.places[key] = _block(document, at, stops)
    return lines


def _block(document: Document, at: int, stops: Collection[Label]) -> list[tuple[int, int]]:
    column = document.starts[at] - document.starts[document.rows[document.row_of[at]][0].lo]
    column += document.rows[document.row_of[at]][0].start
    lines = [(at, document.cell(at).hi)]
    for row in range(document.row_of[at] + 1, min(document.row_of[at] + BLOCK, len(document.rows))):
        if document.blank_before(row) or document.openings[row] in stops:
            break
        cell = next((cell for cell in document.rows[row] if abs(cell.start - column) <= 0), None)
        if cell is None or ":" in document.tokens[cell.lo : cell.hi]:
            break
        lines.append((cell.lo, cell.hi))
    return lines


@dataclass(frozen=True, slots=True)
class Typed:
    """The first or last number, date or currency of the rest of a cell or line.

    `kind`: number, plain (a number as a string), percent (a hundredth), magnitude (a negative number without its sign),
    unsigned (that as a string), written (a number as it stands), date, dated (a date as it stands) or mark; `mode`: the
    style of the number or the order of the date.
    """

    kind: str
    mode: str
    whole_line: bool
    last: bool

    @property
    def rank(self) -> int:
        """See Reader."""
        return self.whole_line + self.last

    def read(self, document: Document, at: int) -> Reading | None:
        """See Reader."""
        end = document.row_end(at) if self.whole_line else document.cell(at).hi
        start, stop = document.starts[at], document.ends[end - 1]
        found: Any = document.dates if self.kind in {"date", "dated"} else document.marks
        if self.kind in NUMBERS:
            found = document.numbers(self.mode)
        lo = bisect_left(found, (start,))
        hi = bisect_left(found, (stop,))
        if lo == hi:
            return None
        value = found[hi - 1] if self.last else found[lo]
        if value.end > stop:
            return None
        written = self.kind in {"written", "dated"}
        read = document.text[value.start : value.end] if written else self._value(value)
        return None if read is None else Reading(read, document.at_start[value.start], document.after(value.end))

    def _value(self, found: Any) -> Any:
        if self.kind == "date":
            return found.iso.get(self.mode)
        if self.kind == "mark":
            return found.code
        if self.kind == "plain":
            return found.plain
        if self.kind == "unsigned":
            return found.plain[1:] if found.plain.startswith("-") else None
        if self.kind == "magnitude":
            if found.value >= 0:
                return None
            return -found.value if "." in found.plain else -int(found.plain)
        if self.kind == "percent":
            return round(found.value / 100, 9)
        return found.value if "." in found.plain else int(found.plain)
