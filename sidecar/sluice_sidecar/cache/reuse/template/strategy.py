"""Template as a way of reuse: what risk reads of an extraction."""

import math
from typing import ClassVar

from sluice_sidecar.cache.entry import Entry, How
from sluice_sidecar.cache.reuse.strategy import Proposal, Record
from sluice_sidecar.cache.reuse.template.wrapper import Extraction

SHORTEST, LINES = 120, 4
"""Characters and lines of the least text that is taken for a document."""
LONGEST = 30_000
"""Characters of the longest one; beyond it learning takes too long."""


def is_document(text: str | None) -> bool:
    """Whether a text may be a document of some layout: several lines, not too few words, not a book."""
    return text is not None and SHORTEST <= len(text) <= LONGEST and text.count("\n") >= LINES - 1


class Template:
    """An extraction with the values of the document itself, as a proposal."""

    how: ClassVar[How] = "template"
    FEATURES: ClassVar[tuple[str, ...]] = ("nearest", "pairs", "values", "record")

    def propose(self, entry: Entry, similarity: float, extraction: Extraction, pairs: int, record: Record) -> Proposal:
        """`entry` holds the answer that was made, in the group of its layout; `pairs` were learned from."""
        features = (
            4.0 * similarity - 3.0,
            math.log(pairs / 3.0),
            math.log1p(len(extraction.evidence)) - 2.0,
            2.0 * record(entry.group),
        )
        return Proposal(entry, similarity, features)
