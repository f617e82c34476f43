"""The parts of an address of several lines, whose number varies: street, postcode, town, region and country."""

import re
from dataclasses import dataclass

from sluice_sidecar.cache.reuse.template.document import Document, Label
from sluice_sidecar.cache.reuse.template.span import Reading, block, single_spaced

PARTS = ("code", "town", "street", "region", "land")
_BRITISH = r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"
_CANADIAN = r"[A-Z]\d[A-Z] ?\d[A-Z]\d"
_FIGURES = r"\d{4} ?[A-Z]{2}(?= )|\d{3} \d{2}(?= )|\d{2}-\d{3}|\d{5}-\d{3,4}|\d{4}-\d{3}|\d{4,6}"
_LEADING = re.compile(rf"(?P<code>{_BRITISH}|{_CANADIAN}|{_FIGURES}),? +(?P<town>[^\d,]+)")
_TRAILING = re.compile(
    rf"(?P<town>[^\d,]+?)(?:, ?| )(?:(?P<region>[A-Z]{{2,3}}),? )?"
    rf"(?P<code>{_BRITISH}|{_CANADIAN}|\d{{5}}(?:-\d{{4}})?|\d{{4,6}})"
)
"""A postcode before or behind its town, as most countries write them."""


@dataclass(frozen=True, slots=True)
class Postal:
    """One of PARTS of the address that begins at a token, found from the line that has the postcode.

    The street is the line above it, if that is not the address's first; the country the line below. `stops`: openings
    of lines that are no more of the address.
    """

    part: str
    stops: frozenset[Label] = frozenset()

    @property
    def rank(self) -> int:
        """See Reader."""
        return 1

    def read(self, document: Document, at: int) -> Reading | None:
        """See Reader."""
        lines = block(document, at, self.stops)
        if len(lines) > 1 and (found := _postal_line(document, at, self.stops, lines)) is not None:
            place, match = found
            lo = lines[place][0]
            if self.part == "street":
                return _whole(document, *lines[place - 1]) if place > 1 else None
            if self.part == "land":
                return _whole(document, *lines[place + 1]) if place + 2 == len(lines) else None
            text = match[self.part] if self.part in match.re.groupindex else None
            if text:
                start = document.starts[lo] + match.start(self.part)
                end = document.starts[lo] + match.end(self.part)
                return Reading(text.strip(), document.after(start), document.after(end))
        return None


def _postal_line(
    document: Document, at: int, stops: frozenset[Label], lines: list[tuple[int, int]]
) -> tuple[int, re.Match[str]] | None:
    key = _postal_line, at, stops
    if key not in document.places:
        document.places[key] = next(
            (
                (place, match)
                for pattern in (_LEADING, _TRAILING)
                for place in range(len(lines) - 1, 0, -1)
                if (match := pattern.fullmatch(document.raw(*lines[place])))
            ),
            None,
        )
    found: tuple[int, re.Match[str]] | None = document.places[key]
    return found


def _whole(document: Document, lo: int, hi: int) -> Reading:
    return Reading(single_spaced(document.raw(lo, hi)), lo, hi)
