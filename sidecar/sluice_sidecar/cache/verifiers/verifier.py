"""What the cache asks of a verifier model, and what it believes of its answer."""

import math
from collections.abc import Sequence
from typing import Literal, Protocol

Verdict = Literal["agrees", "differs", "unknown"]
"""`unknown`: it failed, was late, or said something that is no score; such a proposal is not given."""


class VerifierError(Exception):
    """It has no score for this pair; the cache does not give the proposal."""


class Verifier(Protocol):
    """A cross-encoder or an NLI model."""

    async def __call__(self, one: str, other: str) -> float:
        """How surely the two want the same answer, 0 to 1: the lower one of both orders, because what one ask says
        beyond the other shows in one order alone. Raises VerifierError."""

    def close(self) -> None:
        """Lets go of threads and calls."""


def least(scores: Sequence[float], where: str) -> float:
    """The lower of the scores of both orders. Raises VerifierError unless there are two, each in 0..1."""
    if len(scores) != 2:
        raise VerifierError(f"{where} gave {len(scores)} scores for 2 pairs")
    if not all(math.isfinite(score) and 0.0 <= score <= 1.0 for score in scores):
        raise VerifierError(f"{where} gave a score that is not within 0 to 1")
    return min(scores)
