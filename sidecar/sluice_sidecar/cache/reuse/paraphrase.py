"""Paraphrase: another wording of an answered ask, by neighbours that agree and guards that see no difference."""

from collections.abc import Sequence
from typing import ClassVar

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.reuse import alignment, vote
from sluice_sidecar.cache.reuse.facts import facts, standalone
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Record
from sluice_sidecar.cache.reuse.veto import SOFT, disagreements

LONGEST = 1500
"""Characters, about what MiniLM reads. A longer text is a document, and two documents that differ in one figure look
alike to an embedding."""


class Paraphrase:
    """See Strategy. Of the answer that the neighbours agree on, the nearest member that no guard speaks against.

    Guards that only hint (SOFT) are features, the others refuse.
    """

    how: ClassVar[How] = "paraphrase"
    FEATURES: ClassVar[tuple[str, ...]] = (*vote.FEATURES, *SOFT, *alignment.FEATURES)

    def propose(self, text: str, neighbours: Sequence[Neighbour], record: Record) -> Proposal | None:
        """See Strategy."""
        found = vote.vote(text, [one for one in neighbours if one.entry.text is not None], record)
        if found is None:
            return None
        chosen: tuple[Neighbour, tuple[str, ...]] | None = None
        for member in found.members:
            assert member.entry.text is not None
            against = disagreements(text, member.entry.text)
            if chosen is None or not against or (_hard(chosen[1]) and not _hard(against)):
                chosen = member, against
            if not against:
                break
        assert chosen is not None
        member, against = chosen
        features = (
            *found.features, *(float(name in against) for name in SOFT),
            *alignment.align(facts(text), facts(member.entry.text or "")),
        )  # fmt: skip
        hints = tuple(name for name in against if name in SOFT)
        return Proposal(member.entry, member.similarity, features, _hard(against), hints)


def _hard(against: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in against if name not in SOFT)


def eligible(text: str | None) -> bool:
    """Whether an ask can be matched by meaning at all: it must be understood alone and be short enough to compare.

    Equal answers need equal context, so "and tomorrow?", "yes" or "why?" are found by identical reuse alone.
    """
    return text is not None and len(text) <= LONGEST and standalone(text)
