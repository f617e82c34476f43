"""A vector of a text's layout: labels and kinds of lines without their values, so that siblings lie close."""

import zlib

import numpy as np
import numpy.typing as npt

from sluice_sidecar.cache.reuse.template.document import Document, read
from sluice_sidecar.cache.reuse.template.table import line_shape

SIZE = 384
"""Dimensions, those of the builtin embedder, so that one kind of collection holds both."""
TOP = 2
"""Lines at the top of a text that count word by word, so that one misread letter does not part siblings."""
SIBLINGS = 0.65
"""Cosine from which two texts may share a layout."""


def signature(text: str) -> npt.NDArray[np.float32]:
    """Shape (384,), float32, unit length; zeros for a text without words. Digits do not count, values hardly do."""
    vector = np.zeros(SIZE, np.float32)
    for feature, weight in _features(read(text)).items():
        digest = zlib.crc32(feature.encode())
        vector[digest % SIZE] += weight if digest & 0x80000000 else -weight
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector


def _features(document: Document) -> dict[str, float]:
    found: dict[str, float] = {}
    for label, at in document.labels:
        found["label " + " ".join(label)] = 1.5
        cell = document.cell(at)
        found[f"label at {cell.start // 4} " + " ".join(label)] = 1.0
    # Who sends it stands at the top, and senders that share a form are told apart by it.
    for word in {word for row in document.openings[:TOP] for word in row}:
        found["top " + word] = 0.7
    for row, opens in enumerate(document.openings):
        cells = document.rows[row]
        figures = any(token[0].isdigit() for token in document.tokens[cells[0].lo : cells[-1].hi])
        if len(cells) > 2 and not figures:
            found["heading " + " ".join(document.line(row))] = 2.5
        elif opens:
            # A line of words alone is as often a value as a label.
            found["opening " + " ".join(opens)] = 1.0 if figures or len(cells) > 1 else 0.4
            if len(cells) > 1:
                found[f"{line_shape(document, row)} opening " + " ".join(opens)] = 1.0
    return found
