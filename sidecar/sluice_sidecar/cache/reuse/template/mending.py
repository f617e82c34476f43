"""Labels that a scanner misread, as the siblings have them; what was mended is kept apart, so that no value is."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sluice_sidecar.cache.reuse.template.likeness import edits, smeared

USUAL = 0.5
"""Share of the siblings that have a word before others are held to be it, misread."""
MOST = 100
"""Labels that an unknown word is compared with, letter by letter."""
SHORT, LONG = 5, 9
"""Characters of a word from which one, and from which two characters may differ."""
_WORD = re.compile(r"[^\W_]+")
_SPECK = re.compile(r"(?m)^[.'`,\-] ?(?=[^\W\d_])| [.'`,\-]$")


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended text, and where: `spans` are the replaced words in it, each with its shift of what follows."""

    text: str
    spans: tuple[tuple[int, int, int], ...]

    def touches(self, start: int, end: int) -> bool:
        """Whether text[start:end] has a mended word."""
        return any(lo < end and start < hi for lo, hi, _ in self.spans)

    def origin(self, position: int) -> int:
        """The place in the text as it was."""
        place = bisect_right([hi for _, hi, _ in self.spans], position) - 1
        return position if place < 0 else position - self.spans[place][2]


@dataclass(frozen=True)
class Mender:
    """`usual`: words without figures that most siblings have; `known`: words that several have."""

    usual: frozenset[str]
    known: frozenset[str]

    @cached_property
    def _alike(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for word in sorted(self.usual):
            key = smeared(word)
            found[key] = "" if key in found else word
        return found

    def mend(self, text: str) -> Mended:
        """The text without specks at the ends of its lines, each misread label as it is known."""
        text = _SPECK.sub(lambda found: " " * len(found[0]), text)
        spans: list[tuple[int, int, int]] = []
        parts: list[str] = []
        last, shift = 0, 0
        for found in _WORD.finditer(text):
            word = self._known_as(found[0])
            if word is not None:
                parts += [text[last : found.start()], word]
                start = found.start() + shift
                shift += len(word) - len(found[0])
                spans.append((start, start + len(word), shift))
                last = found.end()
        parts.append(text[last:])
        return Mended("".join(parts), tuple(spans))

    def _known_as(self, word: str) -> str | None:
        if len(word) < 3 or word in self.known or word.isdigit():
            return None
        alike = self._alike.get(smeared(word))
        if alike:
            return alike
        most = 0 if len(word) < SHORT - 1 else 1 if len(word) < LONG else 2
        near = [one for one in self.usual if len(one) >= SHORT and most and edits(word, one, most) <= most]
        return near[0] if len(near) == 1 else None


def mender(texts: Sequence[str]) -> Mender:
    """What the labels of these texts are."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(text)))
    usual = [w for w, n in sorted(counts.items()) if n >= max(2, USUAL * len(texts)) and len(w) > 2 and w.isalpha()]
    return Mender(frozenset(usual[:MOST]), frozenset(word for word, count in counts.items() if count >= 2))
