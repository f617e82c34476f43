"""What a way of reuse is: it looks at earlier answers and proposes one, or none. Whether it is given, risk decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sluice_sidecar.cache.entry import Entry, How


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An earlier answer within the same scope, and the cosine of its text to the new one (1 for an equal text)."""

    entry: Entry
    similarity: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """An answer that could be given, and what speaks for it.

    `refused` names what speaks against it, first reason first; such a proposal is counted, never given or learned from.
    """

    entry: Entry
    similarity: float
    """Cosine of the ask to the nearest ask that had this answer."""
    features: tuple[float, ...]
    """What the model of risk reads, in the order of the strategy's FEATURES."""
    refused: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """What weakly speaks against it; it refuses as well where no evidence bounds the error."""
    rival: str = ""
    """The group whose answer was the second best, if there was one."""


Record = Callable[[str], float]
"""A group's share of right proposals so far, as a logarithm."""


class Strategy(Protocol):
    """One way of reuse. Pure: the same neighbours give the same proposal."""

    how: ClassVar[How]
    FEATURES: ClassVar[tuple[str, ...]]
    """Names of what a proposal's `features` hold."""

    def propose(self, text: str, neighbours: Sequence[Neighbour], record: Record) -> Proposal | None:
        """The best of `neighbours` (best first) as an answer to `text`; None when there is nothing to propose."""
