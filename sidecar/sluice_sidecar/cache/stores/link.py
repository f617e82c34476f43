"""Whether a store's server can be asked: no request waits long for a sick one, and it comes back by itself."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sluice_sidecar.cache.stores.store import StoreError

log = logging.getLogger("sluice.cache")

T = TypeVar("T")

READ = 0.05
"""Seconds that a request waits for a store."""

WRITE = 1.0
"""Seconds for what no request waits for."""

SLOW = 3
"""Answers in a row that do not come in time, after which a server counts as away; a refused connection does at once."""

LONGEST = 15.0
"""Seconds between two tries to reach a server, at most."""


class Unreachable(StoreError):  # noqa: N818  (it says what the server is)
    """The server cannot be reached or does not let us in: nothing is worth asking until a trial has passed."""


class Link:
    """The way to one server. Down until `trial` has passed once, and after a failure until it passes again.

    `name` is the server as logs and reports show it. `trial` (re)connects and asks for what is needed; it may take
    WRITE seconds and raises StoreError with the reason. Only trials find out that a server is back, never a request.
    """

    def __init__(
        self, name: str, trial: Callable[[], Awaitable[None]], *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._trial, self._seconds = name, trial, seconds
        self.up = False
        self.reason = "not opened"
        self._slow = 0
        self._next, self._pause = 0.0, 1.0
        self._trying: asyncio.Task[None] | None = None
        self._closed = True

    async def open(self) -> None:
        """Tries once, and lets `upkeep` go on trying when that fails."""
        self._closed = False
        await self._try()

    async def close(self) -> None:
        """Ends what is under way. Idempotent."""
        self._closed, self.up, self.reason = True, False, "closed"
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)

    async def ask(self, work: Callable[[], Awaitable[T]], patience: float) -> T:
        """What `work` gives within `patience` seconds. Raises StoreError, at once while the server is away."""
        if not self.up:
            raise Unreachable(f"{self._name}: {self.reason}")
        try:
            async with asyncio.timeout(patience):
                found = await work()
        except Unreachable as error:
            self._lost(str(error))
            raise
        except TimeoutError:
            self._slow += 1
            reason = f"no answer within {patience:g} s"
            if self._slow >= SLOW:
                self._lost(reason)
            raise StoreError(f"{self._name}: {reason}") from None
        self._slow = 0
        return found

    def upkeep(self) -> None:
        """Starts a trial where one is due; about once a second."""
        if self._closed or self.up or self._trying is not None or self._seconds() < self._next:
            return
        self._trying = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(WRITE):
                await self._trial()
        except (StoreError, TimeoutError) as error:
            self._pause = min(self._pause * 2, LONGEST)
            self._lost(str(error) or f"no answer within {WRITE:g} s")
        else:
            if self._closed:
                return
            if self.reason != "not opened":
                log.warning("the cache store is back", extra={"store": self._name})
            self.up, self.reason, self._slow, self._pause = True, "", 0, 1.0
        finally:
            self._trying = None

    def _lost(self, reason: str) -> None:
        self._next = self._seconds() + self._pause
        if not self._closed and (self.up or reason != self.reason):
            log.warning(
                "the cache store is away; the gateway serves on without it",
                extra={"store": self._name, "reason": reason},
            )
            self.up, self.reason = False, reason
