"""What one look into the cache found: an answer, or what to learn from the answer that a model gives instead."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluice_sidecar.cache.entry import Hit, How
from sluice_sidecar.cache.reuse.strategy import Neighbour, Proposal
from sluice_sidecar.cache.verifiers.verifier import Verdict

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector


@dataclass(frozen=True, slots=True)
class Judged:
    """A strategy's proposal and what risk made of it."""

    how: How
    proposal: Proposal
    score: float
    """Estimated probability that the proposal is right, 0..1."""
    served: bool = False
    """Whether the caller got it; then its label comes from a shadow call, with probability `labelled`."""
    labelled: float = 1.0
    verdict: Verdict | None = None
    """What the policy's verifier said; None: it was not asked, because risk would not have given the proposal."""


@dataclass(slots=True)
class Look:
    """One look. `shadow`: the hit is to be asked again in the background, and this look handed on to `put`."""

    hit: Hit | None = None
    vector: "Vector | None" = None
    neighbours: tuple[Neighbour, ...] = ()
    judged: tuple[Judged, ...] = ()
    shadow: bool = field(default=False)
