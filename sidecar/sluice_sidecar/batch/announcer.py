"""Webhooks of one queue: delivered in the process that has the worker, looked at and sent again in any."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.delivery import AT_ONCE, Deliverer
from sluice_sidecar.batch.ending import ended
from sluice_sidecar.batch.hooks import HookBook
from sluice_sidecar.batch.outbox import Outbox, State, Told, origin_of
from sluice_sidecar.batch.request import Answer, Request, shown
from sluice_sidecar.config import Config, Egress
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.reach import reach

PATH = "/v1/webhooks"
LOOK = 0.5
"""Seconds between looks into the outbox: any process may have put something there."""


class Announcer:
    """`loopback`: whether plain http to this machine may be called. `bundle`: see `reach`."""

    def __init__(self, outbox: Outbox, book: HookBook, *, loopback: bool = False, bundle: Path | None = None) -> None:
        self._outbox, self._book = outbox, book
        self._loopback, self._bundle = loopback, bundle
        self._egress: Egress | None = None
        self._guard: Guard | None = None
        self._clients: list[Client] = []
        self._deliverer: Deliverer | None = None
        self._main: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    async def use(self, config: Config) -> None:
        """Obeys another Config's egress; delivers from the first one on. Raises ValueError for an egress that is none.

        The guard trusts no pair of the gateway's own, and loopback only in the client that takes addresses that were
        written so: no name can lead a webhook to where only the gateway may go.
        """
        if config.gateway.egress == self._egress and self._guard is not None:
            self._guard.trust.reload()
            return
        self._guard = reach(config.gateway.egress, bundle=self._bundle)
        self._guard.trust.reload()
        far = Client(self._guard)
        near = Client(Guard(loopback=True)) if self._loopback else None
        old, self._clients = self._clients, [far, *([near] if near else [])]
        self._egress = config.gateway.egress
        if self._deliverer is None:
            self._deliverer = Deliverer(self._outbox, far, self._book.of, near=near, look=LOOK)
            self._main = asyncio.get_running_loop().create_task(self._deliverer.run(), name="batch-webhooks")
            return
        self._deliverer.reach(far, near)
        task = asyncio.get_running_loop().create_task(self._retire(self._deliverer, old))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self, deliverer: Deliverer, clients: Collection[Client]) -> None:
        await deliverer.settled_before()
        for client in clients:
            await client.close()

    async def stop(self) -> None:
        """Leaves what is under way to the next process."""
        await ended(*self._retiring, self._main)
        for client in self._clients:
            await client.close()

    async def state(self) -> dict[str, Any]:
        """How many webhooks are where, by BatchWindow and address, and which addresses are left alone for a while."""
        resting = {} if self._deliverer is None else self._deliverer.left_alone()
        return {
            "endpoints": [
                {
                    "window": one.window, "origin": origin_of(one.url), "state": one.state.name.lower(),
                    "webhooks": one.number, "next_try_at": one.due if one.state is State.WAITING else None,
                    "reason": one.note or None, "left_alone_seconds": round(resting.get(one.url, 0.0), 1),
                }
                for one in await self._outbox.counts()
            ],
            "at_once": AT_ONCE,
        }  # fmt: skip

    async def answer(self, request: Request, rest: list[str]) -> Answer:
        """What is asked at PATH and the parts behind it: a tenant's webhooks, and to have them again. Raises Problem,
        CallerLeft."""
        match request.scope["method"], rest:
            case "GET" | "HEAD", []:
                told = await self._outbox.of_tenant(request.tenant, request.query("batch"), request.limit(20, 1_000))
                return shown({"object": "list", "data": [_shown(one) for one in told]})
            case "POST", ["replay"]:
                _, body = await request.json()
                batch, since = _wanted(body)
                count = await self._outbox.replay(request.queue.clock(), batch, tenant=request.tenant, since=since)
                if batch is not None and not count:
                    raise Problem(404, "webhook_not_found", f"No webhook of {batch[:80]!r} is kept.", param="batch")
                if self._deliverer is not None:
                    self._deliverer.wake()
                return shown({"object": "replay", "replayed": count})
            case method, _:
                message = f"{method} is not possible here: GET {PATH}, or POST {PATH}/replay."
                raise Problem(405, "method_not_allowed", message)


def _wanted(body: dict[str, Any]) -> tuple[str | None, float]:
    """A batch, or since when. Raises Problem(400)."""
    batch, since = body.get("batch"), body.get("since")
    if isinstance(batch, str) and batch and since is None:
        return batch, 0.0
    if batch is None and isinstance(since, int | float) and not isinstance(since, bool):
        return None, float(since)
    message = 'Say what to send again: {"batch": "batch_..."}, or {"since": 1800000000} for all that failed since then.'
    raise Problem(400, "invalid_replay", message)


def _shown(told: Told) -> dict[str, Any]:
    waits = told.state is State.WAITING
    return {
        "id": told.webhook.id, "object": "webhook", "batch": told.webhook.batch, "window": told.webhook.window,
        "origin": origin_of(told.webhook.url), "status": told.state.name.lower(), "tries": told.tries,
        "created_at": int(told.created), "next_try_at": int(told.due) if waits else None,
        "reason": told.note or None,
    }  # fmt: skip
