"""A number that is the sum of all lines of one name: the tax of an invoice with several rates."""

import re
from dataclasses import dataclass

from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.grounding import GREATEST
from sluice_sidecar.cache.reuse.template.span import Reading
from sluice_sidecar.cache.reuse.template.values import STYLES

_BEFORE = re.compile(r"(?:^|[\s(€$£¥₹:|−-]|\b[A-Z]{3})$")
MOST = 6
"""Lines that are added up, at most."""


@dataclass(frozen=True, slots=True)
class Named:
    """The first line that opens with a label."""

    label: Label

    @property
    def rank(self) -> int:
        """See Anchor."""
        return 0

    def locate(self, document: Document) -> int | None:
        """See Anchor."""
        row = next((row for row, opens in enumerate(document.openings) if opens == self.label), None)
        return None if row is None else document.rows[row][0].lo


@dataclass(frozen=True, slots=True)
class Summed:
    """The last numbers of the lines that open like the one that begins at a token, added up."""

    label: Label
    mode: str

    @property
    def rank(self) -> int:
        """See Reader."""
        return 0

    def read(self, document: Document, at: int) -> Reading | None:
        """See Reader."""
        return sums(document, self.mode).get(self.label)


def sums(document: Document, style: str) -> dict[Label, Reading]:
    """By opening, the sum of the last numbers of the lines with it, where they follow one another."""
    key = sums, style
    kept: dict[Label, Reading] | None = document.places.get(key)
    if kept is not None:
        return kept
    rows: dict[Label, list[int]] = {}
    for row, opens in enumerate(document.openings):
        if opens:
            rows.setdefault(opens, []).append(row)
    numbers = document.numbers(style)
    last_of: dict[int, tuple[float, int]] = {}
    for number in numbers:
        at = document.at_start.get(number.start)
        # What is glued to a letter or a point is a part of a number that was misread.
        if at is not None and _BEFORE.search(document.text, max(0, number.start - 4), number.start):
            last_of[document.row_of[at]] = number.value, number.end
    found: dict[Label, Reading] = {}
    for opens, lines in rows.items():
        if len(lines) > MOST or lines[-1] - lines[0] >= len(lines) or any(row not in last_of for row in lines):
            continue
        ends = [document.rows[row][-1].hi for row in lines]
        if any(document.ends[hi - 1] - last_of[row][1] > 4 for row, hi in zip(lines, ends, strict=True)):
            continue
        total = round(sum(last_of[row][0] for row in lines), 6)
        found[opens] = Reading(total, document.rows[lines[0]][0].lo, ends[-1])
    document.places[key] = found
    return found


def adds_up(document: Document, value: float) -> bool:
    """Whether a number is the sum of several lines of one name."""
    if not abs(value) < GREATEST:
        return False
    return any(abs(one.value - value) < 1e-6 for style in STYLES for one in sums(document, style).values())


def several(document: Document, style: str, label: Label) -> bool:
    """Whether more than one line is added up."""
    found = sums(document, style).get(label)
    return found is not None and document.row_of[found.lo] != document.row_of[found.hi - 1]
