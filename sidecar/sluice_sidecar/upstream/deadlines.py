"""One timer for all connections of a client.

A timer of its own for every request costs more than the rest of its bookkeeping: nearly all are cancelled unfired.
Here a deadline is a float on the connection, and one timer looks at them all when the nearest may have come.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice_sidecar.upstream.connection import Connection

NEVER = float("inf")
_LEAST = 0.01  # seconds between two looks: what a timeout may be late


class Deadlines:
    """The open connections. Whoever moves a connection's deadline forward calls `wake` if it is before `next`."""

    __slots__ = ("_loop", "_timer", "members", "next")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.members: set[Connection] = set()
        self.next = NEVER
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, deadline: float) -> None:
        """Looks again at `deadline` (the loop's clock)."""
        if self._timer is not None:
            self._timer.cancel()
        self.next = deadline
        self._timer = self._loop.call_at(deadline, self._look)

    def close(self) -> None:
        """Stops the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.next = NEVER

    def _look(self) -> None:
        now = self._loop.time()
        self._timer, self.next = None, NEVER
        nearest = NEVER
        for connection in tuple(self.members):
            if connection.deadline <= now:
                connection.expire()
            elif connection.deadline < nearest:
                nearest = connection.deadline
        if nearest < self.next:
            self.wake(max(nearest, now + _LEAST))
