"""Webhooks on their way, in the queue's Redis: the change that ends a batch puts the webhook of it there as well."""

import math
from collections.abc import Collection
from typing import Any

from sluice_sidecar.batch.outbox import (
    LEASE,
    LOOKED_AT,
    PER_ORIGIN,
    PER_TENANT,
    Claimed,
    Count,
    State,
    Told,
    Webhook,
    announced,
    origin_of,
)
from sluice_sidecar.batch.records import Batch
from sluice_sidecar.batch.stores.redis_link import RedisLink


def target(batch: Batch) -> dict[str, str] | None:
    """What the script puts into the outbox when a batch ends; None: nobody wants to be told.

    It keeps what happened, and the event is made from that by `announced` whenever it is read: the same each time.
    """
    hook = batch.note.get("webhook")
    if not isinstance(hook, dict):
        return None
    return {"window": hook["window"], "url": hook["url"], "base": hook["base"], "origin": origin_of(hook["url"])}


class RedisOutbox:
    """An Outbox in the Redis that `link` leads to."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def add(self, webhook: Webhook, now: float) -> bool:
        """See Outbox."""
        address = webhook.window, webhook.url, origin_of(webhook.url)
        given = now, webhook.tenant, *address, webhook.batch, webhook.id, webhook.body
        return bool(await self._link.write("hook_add", *given))

    async def claim(self, now: float, limit: int, without: Collection[str]) -> list[Claimed]:
        """See Outbox."""
        bounds = now + LEASE, limit, PER_ORIGIN, PER_TENANT, LOOKED_AT
        return [_claimed(*one) for one in await self._link.write("hook_claim", now, *bounds, *without)]

    async def next_due(self, without: Collection[str]) -> float:
        """See Outbox."""
        found = await self._link.read("hook_next", *without)
        return math.inf if found is None else float(found)

    async def settle(self, claimed: Claimed, state: State, note: str = "") -> None:
        """See Outbox."""
        await self._link.write("hook_settle", claimed.row, claimed.tries, int(state), note)

    async def postpone(self, claimed: Claimed, due: float, note: str = "", *, counts: bool = True) -> None:
        """See Outbox."""
        first = claimed.first if counts or claimed.tries > 1 else ""
        tries = claimed.tries - (not counts)
        await self._link.write("hook_postpone", claimed.row, claimed.tries, due, tries, first, note)

    async def end(self, url: str, now: float) -> int:
        """See Outbox. A process that dies meanwhile leaves the rest to the next answer of the address."""
        ended, more = 0, True
        while more:
            some, more = await self._link.write("hook_end", url, now)
            ended += some
        return ended

    async def replay(
        self, now: float, batch: str | None = None, *, tenant: str | None = None, since: float = 0.0
    ) -> int:
        """See Outbox."""
        whose = () if tenant is None else (tenant,)
        if batch is not None:
            return int(await self._link.write("hook_replay", now, batch, *whose))
        revived, passed, more = 0, 0, True
        while more:
            some, passed, more = await self._link.write("hook_revive", now, since, passed, *whose)
            revived += some
        return revived

    async def forget(self, before: float) -> int:
        """See Outbox."""
        forgotten, more = 0, True
        while more:
            some, more = await self._link.write("hook_forget", before)
            forgotten += some
        return forgotten

    async def of_batch(self, batch: str) -> list[Told]:
        """See Outbox."""
        return [_told(one) for _, one in await self._link.read("hook_batch", batch)]

    async def of_tenant(self, tenant: str, batch: str | None, limit: int) -> list[Told]:
        """See Outbox."""
        which = () if batch is None else (batch,)
        return [_told(one) for _, one in await self._link.read("hook_tenant", tenant, limit, *which)]

    async def counts(self) -> list[Count]:
        """See Outbox."""
        numbers, notes, queues = (_pairs(one) for one in await self._link.read("hook_counts"))
        first: dict[bytes, float] = {}
        for name, at in queues.items():
            address = name.split(b"\0", 2)[2]
            first[address] = min(first.get(address, math.inf), float(at))
        found = []
        for name, number in numbers.items():
            state, _, address = name.partition(b"\0")
            window, _, url = address.decode().partition("\0")
            due, note = first.get(address, 0.0), notes.get(name, b"").decode()
            found.append(Count(window, url, State(int(state)), int(number), due, note))
        return found


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _fields(flat: list[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in _pairs(flat).items()}


def _webhook(row: dict[str, bytes]) -> Webhook:
    plain = {name: value.decode() for name, value in row.items() if name != "body"}
    if "body" in row:
        return Webhook(plain["id"], plain["window"], plain["url"], plain["batch"], row["body"], plain["tenant"])
    what: Any = plain["kind"], plain["status"], int(plain["failed"]), float(plain["created"])
    return announced(plain, plain["batch"], plain["tenant"], *what)


def _claimed(number: bytes, flat: list[bytes]) -> Claimed:
    row = _fields(flat)
    return Claimed(_webhook(row), int(row["tries"]), float(row["first"]), int(number))


def _told(flat: list[bytes]) -> Told:
    row = _fields(flat)
    created, due = float(row["created"]), float(row["due"])
    return Told(_webhook(row), State(int(row["state"])), int(row["tries"]), created, due, row["note"].decode())
