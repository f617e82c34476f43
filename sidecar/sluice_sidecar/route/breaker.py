"""Circuit breaker: a backend that keeps failing is left alone for a while, then tried with a single request.

States and transitions as in M. Nygard, Release It!, and https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

import time
from collections.abc import Callable
from enum import Enum

from sluice_sidecar.config import Backend
from sluice_sidecar.config import Breaker as Settings

Clock = Callable[[], float]

Permit = int
"""Leave to make one call, to be given back by exactly one of succeeded, failed and left."""


class State(Enum):
    """Of one breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """One backend's breaker.

    A permit is the number of the period that it was given in: what a call of an earlier period reports is ignored, so
    a slow answer from before an outage neither closes nor opens anything.
    """

    __slots__ = ("_clock", "_failures", "_opened", "_period", "_settings", "state")

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self.state = State.CLOSED
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._opened = 0.0
        self._period = 0

    def enter(self) -> Permit | None:
        """A permit for one call; None while the backend is left alone or its single trial is under way."""
        if self.state is State.CLOSED:
            return self._period
        if self.state is State.OPEN and self.remaining <= 0:
            self._become(State.HALF_OPEN)
            return self._period
        return None

    @property
    def remaining(self) -> float:
        """Seconds until a trial is allowed; 0 when none has to be waited for."""
        if self.state is not State.OPEN:
            return 0.0
        return max(0.0, self._opened + self._settings.open_for - self._clock())

    def succeeded(self, permit: Permit) -> None:
        """The call went well."""
        if permit == self._period:
            self._failures = 0
            if self.state is not State.CLOSED:
                self._become(State.CLOSED)

    def begun(self, permit: Permit) -> Permit:
        """A stream has begun, and may still break: a trial has succeeded, but failures in a row go on counting.

        Returns the permit that the stream goes on with.
        """
        if permit == self._period and self.state is State.HALF_OPEN:
            self._become(State.CLOSED)
            return self._period
        return permit

    def failed(self, permit: Permit) -> None:
        """The backend failed."""
        if permit != self._period:
            return
        self._failures += 1
        if self.state is State.HALF_OPEN or self._failures >= self._settings.failures:
            self._opened = self._clock()
            self._become(State.OPEN)

    def left(self, permit: Permit) -> None:
        """The call ended without telling anything of the backend, e.g. its caller left: another may try."""
        if permit == self._period and self.state is State.HALF_OPEN:
            # Back to open with the wait already over: the next request is the trial.
            self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self.state = state
        self._period += 1
        self._failures = 0


class Breakers:
    """The process's breakers. They outlive Configs, and routes that call the same upstream share one."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._breakers: dict[tuple[object, ...], Breaker] = {}

    def of(self, backend: Backend, settings: Settings) -> Breaker:
        """The breaker of a backend's upstream under these settings."""
        key = (backend.url, backend.managed, backend.model, settings.failures, settings.open_for)
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = self._breakers[key] = Breaker(settings, self._clock)
        return breaker
