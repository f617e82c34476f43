"""Label: for classification. A new ask gets the class on which its neighbours agree, without being their paraphrase."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from sluice_sidecar.cache.entry import How, is_label
from sluice_sidecar.cache.reuse import vote
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal, Record

WITNESSES = 5
"""Members of the proposed class whose nearness is averaged. One may lie near an ask by chance, so the nearest tells
less of whether the ask belongs there than the k-th does (Sun et al., Out-of-distribution detection with deep nearest
neighbors, ICML 2022, arXiv:2204.06507)."""

SCOPE = ("witnesses", "alone")
"""Whether the ask belongs to any class: the mean nearness of WITNESSES members, LEAST where there are fewer, and the
share of the votes whose answer no other neighbour has. An ask outside every class lies thinly among the members of one,
beside others that are like no other either."""


class Label:
    """See Strategy. Proposes only where every neighbour's answer is short: one of a set, not a text of its own."""

    how: ClassVar[How] = "label"
    FEATURES: ClassVar[tuple[str, ...]] = (*vote.FEATURES, *SCOPE)

    def propose(self, text: str, neighbours: Sequence[Neighbour], record: Record) -> Proposal | None:
        """See Strategy."""
        if not all(is_label(one.entry.group) for one in neighbours[: vote.NEIGHBOURS]):
            return None
        found = vote.vote(text, neighbours, record)
        if found is None:
            return None
        best = found.members[0]
        features = (*found.features, *_scope(found.members, neighbours))
        return Proposal(best.entry, best.similarity, features, rival=found.rival)


def _scope(members: Sequence[Neighbour], neighbours: Sequence[Neighbour]) -> tuple[float, float]:
    """The features of SCOPE, of about unit size."""
    near = [one.similarity for one in members[:WITNESSES]]
    near += [vote.LEAST] * (WITNESSES - len(near))
    heard = [one for one in neighbours[: vote.NEIGHBOURS] if one.similarity >= vote.LEAST]
    given = Counter(one.entry.group for one in heard)
    weights = [one.similarity**vote.SHARPNESS for one in heard]
    alone = sum(weight for one, weight in zip(heard, weights, strict=True) if given[one.entry.group] == 1)
    return 4.0 * sum(near) / WITNESSES - 2.5, alone / sum(weights)
