"""Label: for classification. A new ask gets the class on which its neighbours agree, without being their paraphrase."""

from collections.abc import Sequence
from typing import ClassVar

from sluice_sidecar.cache.entry import How, is_label
from sluice_sidecar.cache.reuse import vote
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Record


class Label:
    """See Strategy. Proposes only where every neighbour's answer is short: one of a set, not a text of its own."""

    how: ClassVar[How] = "label"
    FEATURES: ClassVar[tuple[str, ...]] = vote.FEATURES

    def propose(self, text: str, neighbours: Sequence[Neighbour], record: Record) -> Proposal | None:
        """See Strategy."""
        if not all(is_label(one.entry.group) for one in neighbours[: vote.NEIGHBOURS]):
            return None
        found = vote.vote(text, neighbours, record)
        if found is None:
            return None
        best = found.members[0]
        return Proposal(best.entry, best.similarity, found.features, rival=found.rival)
