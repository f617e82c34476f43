"""What can be told of requests that wait: in which window they run, when, and what becomes of those that are late."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.gate import Always, Gate, Gates, Pool, Unread
from sluice_sidecar.config import BatchWindow

UNNAMED = 4
"""Deferred requests that run at one time on routes that no BatchWindow names."""

log = logging.getLogger("sluice.batch")


class Outlook:
    """The pools of the served BatchWindows. `pace`: a pool's requests a second as they were measured; None: unknown.
    `day`: the deadline of requests on routes that no BatchWindow names, seconds."""

    def __init__(self, gates: Gates, pace: Callable[[str], float | None], day: float) -> None:
        self._gates, self._pace, self._day = gates, pace, day
        self.pools: Sequence[Pool] = (self._unnamed(()),)

    def use(self, windows: Iterable[BatchWindow]) -> None:
        """Obeys these from now on."""
        pools = [self._made(window) for window in windows]
        self.pools = (*pools, self._unnamed(pools))

    def pool(self, route: str) -> Pool:
        """Where a route's requests run."""
        return next((pool for pool in self.pools if route in pool.routes), self.pools[-1])

    def check(self, route: str) -> None:
        """Raises Problem(409) where the route's BatchWindow rather fails a request than have it late, or where it would
        wait for good; Problem(503) where the window cannot be read."""
        pool = self.pool(route)
        if isinstance(pool.gate, Unread):
            raise Problem(503, "window_unreadable", f"BatchWindow {pool.name} cannot be read: {pool.gate.why}.")
        notice = _late(pool)
        if notice is None or pool.missed == "RunAnyway":
            return
        if math.isinf(pool.gate.next(time.time())):
            raise Problem(409, "window_never_opens", f"{notice}; give it another window, or always: true.")
        if pool.missed == "Fail":
            raise Problem(409, "deadline_before_window", f"{notice}: nothing would be done in time.")

    def window(self, route: str) -> dict[str, Any]:
        """What a status says of the window that a route's requests wait for: its name, when it opens, and what becomes
        of those that cannot wait so long. Empty where none is waited for."""
        pool, now = self.pool(route), time.time()
        opens = pool.gate.next(now)
        if not pool.name or opens <= now:
            return {}
        found: dict[str, Any] = {"window": pool.name, "opens_at": None if math.isinf(opens) else math.ceil(opens)}
        notice = _late(pool)
        if notice is not None:
            found["notice"] = notice + (": it runs outside of it" if pool.missed == "RunAnyway" else ": it is late")
        return found

    def seconds(self, route: str, ahead: int) -> int | None:
        """Seconds until a route's request with so many ahead of it is done; None: nobody can tell."""
        return self.remaining(self.pool(route), ahead)

    def remaining(self, pool: Pool, ahead: int) -> int | None:
        """The same for a pool's request."""
        now, pace = time.time(), self._pace(pool.name)
        found = math.inf if pace is None else max(pool.gate.next(now) - now, 0.0) + (ahead + 1) / pace
        return math.ceil(found) if math.isfinite(found) else None

    def _made(self, window: BatchWindow) -> Pool:
        missed = window.missed
        try:
            gate: Gate = self._gates(window)
        except ValueError as error:  # a zone, say, that this machine's database lacks
            log.error("BatchWindow %s cannot be read, and none of its requests is run: %s", window.name, error)
            gate, missed = Unread(str(error)), "Warn"
        return Pool(window.name, frozenset(window.routes), gate, window.concurrency, window.deadline, missed)

    def _unnamed(self, pools: Iterable[Pool]) -> Pool:
        """The pool of the routes that are in none of `pools`."""
        deadline = max([self._day, *(pool.deadline for pool in pools)])
        return Pool("", frozenset(), Always(), UNNAMED, deadline, "RunAnyway")


def _late(pool: Pool) -> str | None:
    """What is to be said of a request that comes in now and cannot run in a window in time; None: it can."""
    now = time.time()
    opens = pool.gate.next(now)
    if opens <= now + pool.deadline:
        return None
    if math.isinf(opens):
        return f"BatchWindow {pool.name} never opens again"
    return (
        f"BatchWindow {pool.name} opens in {(opens - now) / 3600:.1f} h, after the deadline of "
        f"{pool.deadline / 3600:.1f} h"
    )
