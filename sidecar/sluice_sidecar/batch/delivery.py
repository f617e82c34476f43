"""Delivers webhooks from an outbox: signed, to allowed addresses alone, again and again for 24 hours."""

import asyncio
import contextlib
import logging
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.destinations import Destination, NotAllowed
from sluice_sidecar.batch.hooks import Hooks
from sluice_sidecar.batch.outbox import PER_TENANT, Claimed, Outbox, State, Webhook, of_tenant, origin_of
from sluice_sidecar.batch.webhooks import Key, headers, next_try
from sluice_sidecar.config import Breaker as BreakerSettings
from sluice_sidecar.route.breaker import Breaker
from sluice_sidecar.route.breaker import State as BreakerState
from sluice_sidecar.upstream.backoff import retry_after
from sluice_sidecar.upstream.client import Client, EgressDenied, Timeouts, UpstreamError
from sluice_sidecar.version import __version__

log = logging.getLogger("sluice.batch")

AT_ONCE = 32
"""Deliveries under way at one time."""

TIMEOUTS = Timeouts(connect=5.0, first_byte=15.0, total=20.0)
BREAKER = BreakerSettings(failures=5, open_for=60.0)
"""After five failures in a row an address is left alone for a minute, then tried with a single delivery."""

KEPT = 30 * 86_400.0
"""Seconds for which what became of a webhook can be asked, and it can be replayed."""

_REFUSED = (OSError, sqlite3.Error, Problem)
"""What an outbox raises that cannot be read or written now."""
_LONGEST_WAIT = 3_600.0
_AFTER_AN_ERROR = 5.0


class Deliverer:
    """Delivers what `outbox` has. One task, for one event loop.

    `client` decides where connections go: its guard resolves a name once and refuses private, loopback, link-local and
    metadata addresses; it must not trust pairs of the gateway's own, for addresses here are the callers'. `near`: takes
    those that are written as this machine's, where lists allow them; its guard lets loopback pass, the other's does
    not, so no name can lead here. `hooks`: a BatchWindow's keys and list by its name, as they are now; None where it is
    gone or its keys are not there. `clock`: unix seconds; `steady`: any that never jumps. `look`: seconds between looks
    for what others put into the outbox.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: Client,
        hooks: Callable[[str], Hooks | None],
        *,
        near: Client | None = None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        timeouts: Timeouts = TIMEOUTS,
        breaker: BreakerSettings = BREAKER,
        look: float = _LONGEST_WAIT,
    ) -> None:
        self._outbox, self._hooks, self._look = outbox, hooks, look
        self._far, self._near = client, near or client
        self._clock, self._steady, self._rng = clock, steady, rng
        self._timeouts, self._settings = timeouts, breaker
        self._breakers: dict[str, Breaker] = {}
        self._under_way: dict[asyncio.Task[None], Webhook] = {}
        self._woken = asyncio.Event()
        self._forgets_at = 0.0

    async def run(self) -> None:
        """Delivers until it is cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    wait = await self.start_due()
                except _REFUSED as error:
                    log.warning("webhooks: the outbox fails, tried again in %g s (%s)", _AFTER_AN_ERROR, error)
                    wait = _AFTER_AN_ERROR
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._woken.wait()
        finally:
            await self.close()

    def wake(self) -> None:
        """Something was added."""
        self._woken.set()

    def reach(self, client: Client, near: Client | None) -> None:
        """Has the next deliveries go by other clients; those under way keep theirs."""
        self._far, self._near = client, near or client

    def left_alone(self) -> dict[str, float]:
        """Addresses that failed too often just now, and for how many seconds they are left alone."""
        return {url: rest for url, each in self._breakers.items() if (rest := each.remaining) > 0}

    async def start_due(self) -> float:
        """Starts what is due; seconds until there is more to do, if no delivery ends and nothing is added before."""
        now = self._clock()
        if now >= self._forgets_at:
            self._forgets_at = now + 3_600
            await self._outbox.forget(now - KEPT)
            self._breakers = {
                url: each for url, each in self._breakers.items() if each.state is not BreakerState.CLOSED
            }
        while (room := AT_ONCE - len(self._under_way)) > 0:
            due = await self._outbox.next_due(self._left_alone())
            if due > now:
                trials = [rest for each in self._breakers.values() if (rest := each.remaining) > 0]
                return min(due - now, *trials, self._look)
            claimed = await self._outbox.claim(now, room, self._left_alone())
            if not claimed:
                break
            for one in claimed:
                task = asyncio.create_task(self._deliver(one))
                self._under_way[task] = one.webhook
                task.add_done_callback(self._ended)
        return self._look

    async def settled(self) -> None:
        """Returns when no delivery is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def settled_before(self) -> None:
        """Returns when what is under way now has come to its end."""
        if self._under_way:
            await asyncio.wait(list(self._under_way))

    async def close(self) -> None:
        """Aborts what is under way; it is due again when its lease has ended."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        self._woken.set()

    def _left_alone(self) -> set[str]:
        """Origins and tenants that have enough to do, and addresses that have failed too often just now."""
        busy = Counter(webhook.tenant for webhook in self._under_way.values())
        return {
            *(origin_of(webhook.url) for webhook in self._under_way.values()),
            *(of_tenant(tenant) for tenant, number in busy.items() if number >= PER_TENANT),
            *self.left_alone(),
        }

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            await self._try(claimed)
        except _REFUSED as error:
            # What is not settled is tried again: the receiver knows it by its id.
            log.warning("webhook %s: what became of it cannot be kept (%s)", claimed.webhook.id, error)

    async def _try(self, claimed: Claimed) -> None:
        webhook = claimed.webhook
        hooks = self._hooks(webhook.window)
        if hooks is None:
            why = f"BatchWindow {webhook.window} is gone, has no webhooks, or its signing key is not there"
            await self._failed(claimed, why)
            return
        try:
            destination = hooks.allowed.destination(webhook.url)
        except NotAllowed as error:
            await self._failed(claimed, str(error))
            return
        breaker = self._breakers.setdefault(webhook.url, Breaker(self._settings, self._steady))
        permit = breaker.enter()
        if permit is None:
            due = self._clock() + max(1.0, breaker.remaining)
            await self._outbox.postpone(claimed, due, "its address has failed too often just now", counts=False)
            return
        try:
            status, asked = await self._send(destination, claimed, hooks.keys)
        except EgressDenied as error:
            breaker.left(permit)
            await self._failed(claimed, str(error))
        except (UpstreamError, ValueError) as error:
            breaker.failed(permit)
            await self._failed(claimed, str(error))
        except asyncio.CancelledError:
            breaker.left(permit)
            raise
        else:
            if 200 <= status < 300:
                breaker.succeeded(permit)
                await self._outbox.settle(claimed, State.DELIVERED)
            elif status == 410:
                breaker.left(permit)
                waited = await self._outbox.end(webhook.url, self._clock())
                log.warning("webhooks to %s: it wants no more (410); %d are kept", destination.origin, waited)
            else:
                breaker.failed(permit)
                why = f"it answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
                await self._failed(claimed, why, asked)

    async def _send(self, destination: Destination, claimed: Claimed, keys: tuple[Key, ...]) -> tuple[int, float]:
        """Status, and seconds for which the receiver wants to be left alone."""
        webhook = claimed.webhook
        sent = headers(keys, webhook.id, int(self._clock()), webhook.body)
        sent.append((b"user-agent", b"sluice/" + __version__.encode()))
        client = self._near if destination.near else self._far
        response = await client.send(
            destination.origin, b"POST", destination.target, sent, webhook.body, self._timeouts
        )
        response.abort()  # the status is all that counts
        return response.status, retry_after(response.header(b"retry-after"))

    async def _failed(self, claimed: Claimed, why: str, asked: float = 0.0) -> None:
        now = self._clock()
        due = next_try(claimed.tries, claimed.first, now, self._rng(), asked)
        if due is None:
            log.warning("webhook %s: given up after %d tries: %s", claimed.webhook.id, claimed.tries, why)
            await self._outbox.settle(claimed, State.GIVEN_UP, why)
        else:
            log.info(
                "webhook %s: try %d failed, the next in %.0f s: %s", claimed.webhook.id, claimed.tries, due - now, why
            )
            await self._outbox.postpone(claimed, due, why)
