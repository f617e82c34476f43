"""How the bound of one policy's strategy went: what the console draws over time."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sluice_sidecar.cache.risk import Report

EVERY = 60.0
"""Seconds between two moments of a strategy that neither opens nor closes."""
KEPT = 500
"""Moments that are kept: 8 hours and more."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known at `at` (unix seconds). `threshold` is infinite and `bound` 1 while nothing is reused."""

    at: float
    bound: float
    threshold: float
    labels: float
    errors: float
    open: bool


class History:
    """The last KEPT moments, oldest first; in memory only."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque(maxlen=KEPT)

    def note(self, now: float, is_open: bool, report: Callable[[], Report]) -> None:
        """Keeps a moment where one is due: a minute has passed, or the strategy opened or closed.

        `report` is asked only then. A clock that was put back by more than a minute begins anew from there.
        """
        last = self._moments[-1] if self._moments else None
        if last is not None and last.open == is_open and abs(now - last.at) < EVERY:
            return
        told = report()
        self._moments.append(Moment(now, told.bound, told.threshold, told.labels, told.errors, told.open))

    def shown(self) -> Sequence[Mapping[str, Any]]:
        """As plain data."""
        return [asdict(moment) for moment in self._moments]
