"""When deferred requests of a route may run."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from sluice_sidecar.config import BatchWindow


class Gate(Protocol):
    """A window in time."""

    def open(self, now: float) -> bool:
        """Whether it is open at `now`, unix seconds."""

    def next(self, now: float) -> float:
        """When it next opens, unix seconds; `now` where it is open; infinity where it never does."""


class Always:
    """Open at all times."""

    def open(self, now: float) -> bool:
        """It is."""
        return True

    def next(self, now: float) -> float:
        """At once."""
        return now


@dataclass(frozen=True, slots=True)
class Unread:
    """The gate of a BatchWindow that cannot be read: what is queued keeps its place until it can."""

    why: str

    def open(self, now: float) -> bool:
        """It is not."""
        return False

    def next(self, now: float) -> float:
        """Never."""
        return math.inf


@dataclass(frozen=True, slots=True)
class Pool:
    """Routes whose deferred requests share one window and one bound on how many run."""

    name: str
    """The BatchWindow's; empty: the routes that none names."""
    routes: frozenset[str]
    gate: Gate
    concurrency: int
    deadline: float
    """Seconds after its coming in at which a request should be done."""
    missed: Literal["RunAnyway", "Fail", "Warn"]
    """What becomes of one that no window lets be done in time: it runs outside, it is not taken in, or it is late."""


class Gates(Protocol):
    """How a BatchWindow becomes a Gate."""

    def __call__(self, window: BatchWindow) -> Gate:
        """Raises ValueError for a window that cannot be read."""
