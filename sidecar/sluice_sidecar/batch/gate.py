"""When deferred requests of a route may run, and how many at one time."""

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal, Protocol

from sluice_sidecar.config import Backend, BatchWindow, Route
from sluice_sidecar.ledger.decision import Attempt


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


SAMPLES = 8
"""Interactive answers of which the median is taken."""
CALM = 64
"""Interactive answers from calm moments that are remembered."""
TOLERANCE = 1.5
"""How many times as slow as in calm moments interactive answers may be."""
BACK_OFF = 0.5
"""Share of the places that stays when they are slower."""
QUIET = 5.0
"""Seconds without an interactive answer after which a place comes back each second: nobody is there to be slow for."""


class Yielding:
    """How many places deferred requests may take at one engine, by how long its interactive callers wait.

    Additive increase, multiplicative decrease (Chiu and Jain 1989, doi:10.1016/0169-7552(89)90019-6): each median of
    SAMPLES answers that came while deferred requests ran either gives a place back or takes BACK_OFF of them. It is
    measured against the median of calm moments, in which none ran; before enough of those are known, against the
    shortest median so far. One place is always left. Times are seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._calm: deque[float] = deque(maxlen=CALM)
        self._busy: list[float] = []
        self._shortest = math.inf
        self._taken = 0.0
        """Share of all places that is taken away, from 0 to 1."""
        self._heard = self._eased = -math.inf

    def answered(self, seconds: float, now: float, *, places: int, deferred: bool) -> None:
        """One interactive answer took so long; `deferred`: while deferred requests ran, which have `places` at most."""
        self._heard = now
        if not deferred:
            self._calm.append(seconds)
            return
        self._busy.append(seconds)
        if len(self._busy) < SAMPLES:
            return
        found, self._busy = median(self._busy), []
        usual = median(self._calm) if len(self._calm) >= SAMPLES else min(self._shortest, found)
        self._shortest = min(self._shortest, found)
        if found > TOLERANCE * usual:
            self._taken = 1.0 - (1.0 - self._taken) * BACK_OFF
        else:
            self._ease(places)

    def places(self, most: int, now: float) -> int:
        """How many of `most` places may be taken now: at least one."""
        if now - self._heard > QUIET and now - self._eased >= 1.0:
            self._eased = now
            self._ease(most)
        # What is left is a fraction of many: an integer that is lost to rounding would never come back.
        return max(1, math.floor(most * (1.0 - self._taken) + 1e-9))

    def _ease(self, most: int) -> None:
        # From one place on, also where more of them were taken than that leaves.
        self._taken = max(0.0, min(self._taken, 1.0 - 1.0 / most) - 1.0 / most)


class Engines:
    """The engines behind a gateway's routes, each with a Yielding for whole answers and one for streams' first tokens:
    what is measured against each other must be alike."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, bool], Yielding] = {}
        self._behind: dict[str, set[str]] = {}
        """Pool -> engines of its routes."""

    def use(self, routes: Iterable[Route], pool: Callable[[str], Pool]) -> None:
        """Minds the engines of these routes from now on; `pool` has the pool of a route's name."""
        self._behind = {}
        for route in routes:
            self._behind.setdefault(pool(route.name).name, set()).update(map(_engine, route.backends.values()))
        known = {(name, stream) for names in self._behind.values() for name in names for stream in (False, True)}
        self._found = {key: self._found.get(key) or Yielding() for key in known}

    def answered(self, route: Route, call: Attempt, now: float, *, places: int, deferred: bool) -> None:
        """A caller's last call to a route's backend is over. See Yielding."""
        backend = route.backends.get(call.backend)
        if backend is None or call.outcome != 200:
            return
        stream = call.first_token is not None
        seconds = call.seconds if call.first_token is None else call.first_token
        found = self._found.get((_engine(backend), stream))
        if found is not None:
            found.answered(seconds, now, places=places, deferred=deferred)

    def within(self, pool: Pool, now: float) -> Pool:
        """The pool with the places that the most pressed of its engines leaves."""
        pressed = (self._found[name, stream] for name in self._behind.get(pool.name, ()) for stream in (False, True))
        left = min((one.places(pool.concurrency, now) for one in pressed), default=pool.concurrency)
        return dataclasses.replace(pool, concurrency=left)


def _engine(backend: Backend) -> str:
    """What several routes' backends may be one of."""
    return backend.managed or backend.url or backend.name
