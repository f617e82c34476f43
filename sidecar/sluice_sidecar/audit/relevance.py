"""Which requests a section plausibly serves: by the words that it and they share, by meaning where vectors are given.

It orders what an audit asks first and names sections for cases that became rare. It never decides that one goes.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sluice_sidecar.audit.model import Prompt, Sample

Matrix = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Matrix]
"""Texts to unit vectors, (n, width)."""

SHARED = 0.12
"""Share of the weight of a section's own words from which on it serves a request that holds them."""
NEAR = 0.45
"""Cosine from which on it does by meaning."""
FEW_WORDS = 12
"""Own words that are looked at: what a request shares with a long section is a few of them."""

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Relevance:
    """`scores[section, sample]`, 0..1 of words or meaning, whichever is more; `serves` of the same shape."""

    scores: Matrix
    serves: NDArray[np.bool_]

    def share(self, section: int) -> tuple[float, float, float]:
        """The share of the samples that a section plausibly serves, with its 95 % Wilson interval."""
        row = self.serves[section]
        return wilson(int(row.sum()), len(row))


def relevance(prompt: Prompt, samples: Sequence[Sample], embed: Embed | None = None) -> Relevance:
    """Of each section to each sample; at least one sample."""
    parts = [Counter(_words(prompt.part(section))) for section in prompt.sections]
    asks = [set(_words(sample.asked())) for sample in samples]
    held = Counter(word for part in parts for word in part)
    asked = Counter(word for ask in asks for word in ask)
    scores = np.zeros((len(parts), len(asks)), np.float32)
    for n, part in enumerate(parts):
        weights = {
            word: math.log((1 + len(asks)) / (1 + asked[word])) * math.log(1 + len(parts) / held[word])
            for word in part
            if asked[word]
        }
        own = sorted(weights, key=lambda word: (-weights[word], word))[:FEW_WORDS]
        total = sum(weights[word] for word in own)
        if total:
            scores[n] = [sum(weights[word] for word in own if word in ask) / total for ask in asks]
    serves = scores >= SHARED
    if embed is not None and parts:
        near = embed([prompt.part(section) for section in prompt.sections]) @ embed([s.asked() for s in samples]).T
        scores, serves = np.maximum(scores, near), serves | (near >= NEAR)
    return Relevance(scores, serves)


def wilson(hits: int, count: int) -> tuple[float, float, float]:
    """A share and its 95 % Wilson interval; (0, 0, 1) of nothing."""
    if not count:
        return 0.0, 0.0, 1.0
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def _words(text: str) -> list[str]:
    """Words in small letters; a plural's s is taken off."""
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in map(str.lower, _WORD.findall(text))]
