"""How the values of a leaf look: what all siblings' values have in common, a new value must have too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sluice_sidecar.cache.reuse.template.likeness import edits

LONGER = 3
"""A text may be so many times as long as the longest one seen."""
MOST = 60
"""Texts that a new one is compared with, letter by letter; of more, none is held to be misread."""
LONG = 8
"""Characters of a text from which two may be misread, not one."""
_FIGURED = re.compile(r"\b\d[^\W\d_]{3}|[A-Z]{2}[a-z]+[A-Z]|\b[A-Z]{3,}[a-z]\b")
"""A word that begins with a figure, or of capitals but one: misread, in a layout that shows no other noise."""
_SPECK = re.compile(r"(?:^|\s)[^\w\s&](?=\s|,|$)")
"""A sign by itself: dust that a scanner took for one."""
_NUMBER = re.compile(r"(?:\d{1,3}(?:[.,'’ \u00a0\u2009\u202f]\d{3})+|\d+)(?![\d])")
_WORD = re.compile(r"[^\W\d_]+")
_CHAIN = re.compile(r"[^\W\d_]+|\d+")
_POINT = re.compile(r"[.,](\d+)\D*\Z")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Form:
    """`shape`: the one pattern of letters, digits and signs that all values have, if they have one with a digit."""

    kinds: frozenset[str]
    shape: str | None
    longest: int
    lines: int
    colon: bool
    capitals: bool
    """Whether all values are in capitals."""
    always_mixed: bool
    """Whether all values have a word of letters and figures."""
    mixed: frozenset[str]
    """The patterns of the words of letters and figures."""
    seen: frozenset[str]
    blurred: frozenset[str]
    """What was seen, with letters that a scanner takes for figures as figures."""
    clean: bool = False
    """No sibling is misread."""

    def fits(self, value: Any) -> bool:
        """Whether a new value looks like those that were seen."""
        if _kind(value) not in self.kinds:
            return False
        if not isinstance(value, str):
            return True
        if not value or len(value) > max(LONGER * self.longest, 24) or value.count("\n") > self.lines:
            return False
        if ":" in value and not self.colon:
            return False
        if self.shape is not None:
            return shape(value) == self.shape
        # One that reads like a value seen, but for a letter that is a figure, is that value misread.
        if value not in self.seen and blurred(value) in self.blurred:
            return False
        if self.clean:
            return not _FIGURED.search(value) or any(map(_FIGURED.search, self.seen))
        if value not in self.seen and len(self.seen) <= MOST and any(_near(value, other) for other in self.seen):
            return False
        if not _mixed(value) <= self.mixed or (_SPECK.search(value) and not any(map(_SPECK.search, self.seen))):
            return False
        if _FIGURED.search(value) and not any(map(_FIGURED.search, self.seen)):
            return False
        if self.capitals and value != value.upper():
            return False
        return not self.always_mixed or bool(_mixed(value))


def _near(value: str, other: str) -> bool:
    most = 2 if min(len(value), len(other)) >= LONG else 1
    return any(char.isalpha() for char in other) and edits(value, other, most) <= most


def shape(value: str) -> str:
    """Whole numbers, grouped or not, as 9, runs of letters as a, the rest as it is."""
    return _WORD.sub("a", _NUMBER.sub("9", value))


LIKE = str.maketrans("olisbzt", "0115827")


@lru_cache(maxsize=4096)
def blurred(text: str) -> str:
    """Letters and figures alone, with letters that look like figures as figures."""
    return "".join(char for char in text.casefold() if char.isalnum()).translate(LIKE)


@lru_cache(maxsize=4096)
def _mixed(text: str) -> frozenset[str]:
    words = (word for word in text.split() if any(c.isdigit() for c in word) and any(c.isalpha() for c in word))
    return frozenset(_CHAIN.sub(lambda run: "9" if run[0][0].isdigit() else "a", word) for word in words)


def decimals(text: str) -> int:
    """Figures behind the last point or comma of a number as it stands."""
    found = _POINT.search(text)
    return len(found[1]) if found else 0


def date_shape(text: str) -> str:
    """The pattern of a date: years of four digits apart from two, names of months as a."""
    return _WORD.sub("a", _DIGITS.sub(lambda run: "9999" if len(run[0]) == 4 else "9", text))


def form(values: Sequence[Any], *, clean: bool = False) -> Form:
    """The form of values that were seen, at least one. `clean`: see Form."""
    texts = [value for value in values if isinstance(value, str)]
    shapes = {shape(text) for text in texts}
    only = shapes.pop() if len(shapes) == 1 and len(texts) > 1 else None
    return Form(
        frozenset(_kind(value) for value in values),
        only if only is not None and "9" in only and " " not in only else None,
        max((len(text) for text in texts), default=0),
        max((text.count("\n") for text in texts), default=0) + 2,
        any(":" in text for text in texts),
        len(texts) > 1 and all(text.isupper() for text in texts),
        len(texts) > 1 and all(_mixed(text) for text in texts),
        frozenset(pattern for text in texts for pattern in _mixed(text)),
        frozenset(texts),
        frozenset(blurred(text) for text in texts if any(char.isalpha() for char in text)),
        clean,
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__
