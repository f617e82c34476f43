"""Retry budget: a token bucket that keeps retries a share of requests, so that they cannot multiply an outage.

After Finagle's RetryBudget: https://twitter.github.io/finagle/guide/Clients.html#retries
"""

import time
from collections.abc import Callable

from sluice_sidecar.config import Backend

RESERVE = 10.0
"""Tokens a bucket holds at most: the longest burst of retries. It starts full."""

FLOOR = 1.0
"""Tokens a second that come without requests, so that a quiet route can retry too."""


class RetryBudget:
    """One bucket. Within any period, retries <= RESERVE + share * requests + FLOOR * seconds."""

    __slots__ = ("_clock", "_seen", "_share", "_tokens")

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`share` of requests that may be retried, e.g. 0.2; with 0 nothing is."""
        self._share = share
        self._clock = clock
        self._tokens = RESERVE if share > 0 else 0.0
        self._seen = clock()

    def deposit(self) -> None:
        """Counts one request (not its retries)."""
        self._tokens = min(RESERVE, self._tokens + self._share)

    def withdraw(self) -> bool:
        """Takes leave for one retry; False when the budget is spent."""
        now = self._clock()
        if self._share > 0:
            self._tokens = min(RESERVE, self._tokens + FLOOR * max(0.0, now - self._seen))
        self._seen = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class RetryBudgets:
    """The process's retry budgets, one an upstream and share; they outlive Configs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._budgets: dict[tuple[object, ...], RetryBudget] = {}

    def of(self, backend: Backend, share: float) -> RetryBudget:
        """The budget of a backend's upstream."""
        key = (backend.url, backend.managed, backend.model, share)
        budget = self._budgets.get(key)
        if budget is None:
            budget = self._budgets[key] = RetryBudget(share, self._clock)
        return budget
