"""A copy of some requests to a further backend: measured, dropped, and never in the caller's way."""

import asyncio
from collections.abc import Callable, Sequence
from random import random

from sluice_sidecar import config
from sluice_sidecar.ask import Ask, Caller, Problem
from sluice_sidecar.config import Backend, Resilience, Retries
from sluice_sidecar.route.reply import Attempt, NoAnswer
from sluice_sidecar.upstream.courier import Courier

CONCURRENCY = 8
"""Copies under way at most; what comes beyond them is not copied."""

Measured = Callable[[Ask, Caller, Backend, Sequence[Attempt]], None]
"""Is told of every copy when it is over. No attempt: its backend could not even be called."""


class Mirror:
    """One route's mirror."""

    def __init__(
        self,
        settings: config.Mirror,
        backend: Backend,
        courier: Courier,
        resilience: Resilience,
        *,
        measured: Measured | None = None,
        rng: Callable[[], float] = random,
    ) -> None:
        self._share = settings.percent / 100
        self._backend, self._courier = backend, courier
        self._resilience = resilience.model_copy(update={"retries": Retries(attempts=1)})
        self._measured, self._rng = measured, rng
        self._copies: set[asyncio.Task[None]] = set()
        self.skipped = 0
        """Requests that were to be copied, but too many copies were under way."""

    def offer(self, ask: Ask, caller: Caller) -> None:
        """Copies this request, or not. Returns at once."""
        if self._rng() >= self._share or ask.dialect.family not in self._backend.families:
            return
        if len(self._copies) >= CONCURRENCY:
            self.skipped += 1
            return
        copy = asyncio.create_task(self._copy(ask, caller))
        self._copies.add(copy)
        copy.add_done_callback(self._copies.discard)

    async def settled(self) -> None:
        """Waits for the copies that are under way."""
        await asyncio.gather(*self._copies)

    async def aclose(self) -> None:
        """Aborts the copies that are under way."""
        copies = list(self._copies)
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)

    async def _copy(self, ask: Ask, caller: Caller) -> None:
        attempts: Sequence[Attempt] = ()
        try:
            reply = await self._courier.ask(ask, self._backend, caller, self._resilience)
            attempts = reply.attempts
            if reply.events is not None:
                try:
                    async for _ in reply.events:
                        pass
                finally:
                    await reply.events.aclose()
        except NoAnswer as problem:
            attempts = attempts or problem.attempts
        except Problem:
            pass  # no credential, or not this dialect: there is nothing to measure
        if self._measured is not None:
            self._measured(ask, caller, self._backend, attempts)
