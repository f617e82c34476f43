"""Webhooks on their way, as plain data, and what keeps them: each is delivered at least once, whatever dies."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeVar

from sluice_sidecar.batch.records import Kind, Status
from sluice_sidecar.batch.webhooks import PATHS, event_id, event_of, payload
from sluice_sidecar.upstream.client import parse_url

T = TypeVar("T")

PER_ORIGIN = 8
"""Claimed at one time for one scheme, host and port: one that hangs leaves room for the others, whatever its paths."""
PER_TENANT = 12
"""Claimed at one time for one tenant, whose addresses may all hang."""

LOOKED_AT = 256
"""Of those that are due: a claim costs the same however many wait. Who claims leaves out addresses that are busy, so
the next claim looks behind them."""

LEASE = 120.0
"""Seconds after which a claimed webhook of which nothing more was heard is due again: more than a try can take."""


class State(IntEnum):
    """Where a webhook is."""

    WAITING = 0
    DELIVERED = 1
    GIVEN_UP = 2
    """Tried for 24 hours."""
    GONE = 3
    """Its address has said that it wants no more (410)."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event to one address. `window`: the BatchWindow whose keys sign it and whose list allows the address."""

    id: str
    window: str
    url: str = field(repr=False)
    """It may hold a token of the receiver's."""
    batch: str
    body: bytes = field(repr=False)
    tenant: str = ""
    """Whose batch it is; who may ask for it again."""


def announced(
    target: dict[str, str], id_: str, tenant: str, kind: Kind, status: Status, failed: int, now: float
) -> Webhook:
    """The webhook of a batch that has ended. `target`: what its note says of who wants to be told (window, url, base).

    Pure: whatever keeps batches puts it into its outbox in the very transaction that ends the batch.
    """
    event, url = event_of(kind, status, failed), target["url"]
    identifier = event_id(event, id_, url)
    link = f"{target['base']}{PATHS[kind]}/{id_}"
    body = payload(event, identifier, id_, now, status=event.partition(".")[2], url=link)
    return Webhook(identifier, target["window"], url, id_, body, tenant)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A webhook to be tried now. Only who claimed it last settles it."""

    webhook: Webhook
    tries: int
    """This one included."""
    first: float
    """When it was tried for the first time, unix seconds."""
    row: int = 0
    """Where its outbox has it; means nothing to anyone else."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a webhook."""

    webhook: Webhook
    state: State
    tries: int
    created: float
    due: float
    note: str
    """Why the last try failed."""


@dataclass(frozen=True, slots=True)
class Count:
    """Webhooks of one BatchWindow to one address in one state."""

    window: str
    url: str = field(repr=False)
    state: State
    number: int
    due: float
    """When the first of them is tried again; no meaning but for those that wait."""
    note: str
    """Why the last that failed did."""


class Outbox(Protocol):
    """Webhooks on their way. What returns is durable. Times are unix seconds."""

    async def add(self, webhook: Webhook, now: float) -> bool:
        """Takes it, to be tried at once. False: one with this id is known, and nothing was done."""

    async def claim(self, now: float, limit: int, without: Collection[str]) -> list[Claimed]:
        """At most `limit` that are due, the longest due first, PER_ORIGIN to one origin, PER_TENANT of one tenant.

        None to addresses and origins of `without`, and none of its tenants, who stand there as `of_tenant` has them.

        Of one batch to one address the earliest alone: the next follows when it was delivered or given up. What is not
        settled within LEASE is due again.
        """

    async def next_due(self, without: Collection[str]) -> float:
        """When `claim` will have something, infinity where nothing waits."""

    async def settle(self, claimed: Claimed, state: State, note: str = "") -> None:
        """It was delivered or given up."""

    async def postpone(self, claimed: Claimed, due: float, note: str = "", *, counts: bool = True) -> None:
        """It is tried again at `due`. Not `counts`: it was not tried this time."""

    async def end(self, url: str, now: float) -> int:
        """The address wants no more: what waits for it is GONE, and so is what comes later. How many waited."""

    async def replay(
        self, now: float, batch: str | None = None, *, tenant: str | None = None, since: float = 0.0
    ) -> int:
        """Makes a batch's webhooks, delivered ones too, or all since then that were given up or are gone, due again,
        with their ids; their addresses are in use again. `tenant`: of this one's alone. How many."""

    async def forget(self, before: float) -> int:
        """Forgets what was delivered, given up or gone before then. How many."""

    async def of_batch(self, batch: str) -> list[Told]:
        """A batch's webhooks, in the order in which they came."""

    async def of_tenant(self, tenant: str, batch: str | None, limit: int) -> list[Told]:
        """A tenant's webhooks, newest first; of one batch alone where it is given."""

    async def counts(self) -> list[Count]:
        """How many are where, by BatchWindow and address."""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, which are all of it that may be shown; empty for one that is none."""
    with suppress(ValueError):
        return str(parse_url("/".join(url.split("/", 3)[:3]))[0])
    return ""


def of_tenant(tenant: str) -> str:
    """How a tenant stands among addresses: no address has a space."""
    return f"tenant {tenant}"
