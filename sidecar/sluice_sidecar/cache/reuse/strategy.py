"""What a way of reuse is: it looks at earlier answers and proposes one, or none."""

from collections.abc import Sequence
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
    """An answer that could be given again, and how sure the strategy is, 0..1.

    `refused` names what speaks against it, first reason first; such a proposal is logged and counted, never given.
    """

    entry: Entry
    score: float
    refused: tuple[str, ...] = ()


class Strategy(Protocol):
    """One way of reuse. Pure: the same neighbours give the same proposal."""

    how: ClassVar[How]

    def propose(self, text: str, neighbours: Sequence[Neighbour]) -> Proposal | None:
        """The best of `neighbours` (best first) as an answer to `text`; None when there is nothing to propose."""
