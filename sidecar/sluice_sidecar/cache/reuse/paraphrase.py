"""Paraphrase: another wording of an ask that was answered, by nearest neighbours and then a veto.

First form: no bound on its error is proven yet, so it works only where a policy names a similarity.
"""

from collections.abc import Sequence
from typing import ClassVar

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.reuse.facts import standalone
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal
from sluice_sidecar.cache.reuse.veto import disagreements

NEIGHBOURS = 4
"""How many are looked at: past the nearest few, another wording of the same ask is rare."""

LONGEST = 1500
"""Characters, about what MiniLM reads. A longer text is a document, and two documents that differ in one figure look
alike to an embedding."""


class Paraphrase:
    """See Strategy. The nearest neighbour that nothing speaks against; else the nearest, refused."""

    how: ClassVar[How] = "paraphrase"

    def propose(self, text: str, neighbours: Sequence[Neighbour]) -> Proposal | None:
        """See Strategy."""
        refused: Proposal | None = None
        for neighbour in neighbours:
            if neighbour.entry.text is None:
                continue
            against = disagreements(text, neighbour.entry.text)
            if not against:
                return Proposal(neighbour.entry, neighbour.similarity)
            refused = refused or Proposal(neighbour.entry, neighbour.similarity, against)
        return refused


def eligible(text: str | None) -> bool:
    """Whether an ask can be matched by meaning at all: it must be understood alone and be short enough to compare.

    Equal answers need equal context, so "and tomorrow?", "yes" or "why?" are found by identical reuse alone.
    """
    return text is not None and len(text) <= LONGEST and standalone(text)
