"""A clock that a lifetime can be trusted to."""

import time
from collections.abc import Callable


class SteadyClock:
    """Unix seconds that never run backwards and never slower than the monotonic clock.

    A wall clock set back would lengthen every life in the cache; here it cannot. One set forward ends lives early,
    which costs hits and nothing else. Sleep of the machine is seen through the wall clock.
    """

    __slots__ = ("_at", "_monotonic", "_seen", "_wall")

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._at, self._seen = wall(), monotonic()

    def __call__(self) -> float:
        """Now."""
        seen = self._monotonic()
        self._at = max(self._wall(), self._at + (seen - self._seen))
        self._seen = seen
        return self._at
