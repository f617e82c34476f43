"""Long texts in windows: each as long as the model reads, each overlapping the one before. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sluice_sidecar.cache.embedders.embedder import EmbeddingError, TooLong

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

MOST = 8
"""Windows of one text. What needs more is not embedded."""

OVERLAP = 8
"""A window shares a part in this many with its predecessor, so that no sentence is seen in halves alone."""


def windows(tokens: Sequence[int], size: int) -> list[Sequence[int]]:
    """`tokens` as windows of up to `size`, the last one moved back to be whole. Raises TooLong beyond MOST."""
    if len(tokens) <= size:
        return [tokens]
    stride = size - size // OVERLAP
    count = 1 - (size - len(tokens)) // stride  # rounds up
    if count > MOST:
        raise TooLong(f"a text of {len(tokens)} tokens; at most {size + (MOST - 1) * stride} are embedded")
    starts = (min(number * stride, len(tokens) - size) for number in range(count))
    return [tokens[start : start + size] for start in starts]


def joined(vectors: "Vector") -> "Vector":
    """The unit vector of a text from those of its windows, shape (windows, width): their mean, at unit length.

    Raises EmbeddingError where they cancel out.
    """
    import numpy as np

    if len(vectors) == 1:
        one: Vector = vectors[0]
        return one
    mean = vectors.mean(axis=0)
    length = float(np.sqrt(np.dot(mean, mean)))
    if not length > 1e-6:  # NaN compares false
        raise EmbeddingError("the windows of a long text have no direction in common")
    whole: Vector = (mean / length).astype(np.float32)
    return whole
