"""Paraphrase: another wording of an answered ask, by neighbours that agree and guards that see no difference."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.reuse import alignment, vote
from sluice_sidecar.cache.reuse.facts import facts
from sluice_sidecar.cache.reuse.standalone import standalone
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Record
from sluice_sidecar.cache.reuse.veto import SOFT, disagreements

LONGEST = 1500
"""Characters, about what MiniLM reads. A longer text is a document, and two documents that differ in one figure look
alike to an embedding."""


LOOKED = 6
"""Neighbours that are read, and members of the winning group: the first ones tell, and each costs some 40 us."""

TWINS = ("ahead", "nearer", "inserted", "turned", "exact")
"""What the neighbours that a guard refuses tell of the one that none does, and what a few other words weigh where all
else is the same."""


class Paraphrase:
    """See Strategy. Of the answer that the neighbours agree on, the nearest member that no guard speaks against.

    Guards that only hint (SOFT) are features, the others refuse.
    """

    how: ClassVar[How] = "paraphrase"
    FEATURES: ClassVar[tuple[str, ...]] = (*vote.FEATURES, *SOFT, *alignment.FEATURES, *TWINS)

    def propose(self, text: str, neighbours: Sequence[Neighbour], record: Record) -> Proposal | None:
        """See Strategy."""
        heard = [one for one in neighbours if one.entry.text is not None]
        found = vote.vote(text, heard, record)
        if found is None:
            return None
        chosen: tuple[Neighbour, tuple[str, ...]] | None = None
        for member in found.members[:LOOKED]:
            against = disagreements(text, member.entry.text or "")
            if chosen is None or not against or (_hard(chosen[1]) and not _hard(against)):
                chosen = member, against
            if not against:
                break
        assert chosen is not None
        member, against = chosen
        hints = tuple(name for name in against if name in SOFT)
        if refused := _hard(against):
            return Proposal(member.entry, member.similarity, (), refused, hints, found.rival)
        words = alignment.align(facts(text), facts(member.entry.text or ""))
        features = (
            *found.features, *(float(name in against) for name in SOFT), *words,
            *_twins(text, member, heard[:LOOKED], dict(zip(alignment.FEATURES, words, strict=True)), against),
        )  # fmt: skip
        return Proposal(member.entry, member.similarity, features, (), hints, found.rival)


def _twins(
    text: str, chosen: Neighbour, near: Sequence[Neighbour], words: Mapping[str, float], against: Sequence[str]
) -> tuple[float, ...]:  # fmt: skip
    """The features of TWINS. A nearer ask that means another thing is likely what this one was made of."""
    other = next(
        (
            one.similarity
            for one in near
            if one.entry.group != chosen.entry.group and _hard(disagreements(text, one.entry.text or ""))
        ),
        vote.LEAST,
    )
    same = max(words["verbatim"], 0.0)
    return (
        5.0 * (chosen.similarity - other),
        float(other > chosen.similarity),
        same * words["surplus"],
        same * float("question" in against),
        float(chosen.similarity > EXACT and not words["instead"] and not words["surplus"]),
    )


EXACT = 0.9
"""Cosine from which equal contents are taken for one ask in other words."""


def _hard(against: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in against if name not in SOFT)


def eligible(text: str | None) -> bool:
    """Whether an ask can be matched by meaning at all: it must be understood alone and be short enough to compare.

    Equal answers need equal context, so "and tomorrow?", "yes" or "why?" are found by identical reuse alone.
    """
    return text is not None and len(text) <= LONGEST and standalone(text)
