"""Entries in a Pinecone index that gateways share.

A record is a Pinecone record: the key is its id; scope, policy, tenant and ends are metadata to filter by, and the
record itself is metadata too (see pinecone_record). Pinecone ends metadata at 40 KB: a larger one is not kept, and
counted. Every Pinecone record has a vector; one of ours without lies at a fixed place and has no scope to be found by.

Pinecone shows a write some time after it was made. So what this gateway deleted is refused here while Pinecone may
still show it; a bound counts what this process wrote or was shown; other gateways see a purge when Pinecone does.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Any

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.fair import givers, surplus
from sluice_sidecar.cache.stores.link import WRITE, Link, Unreachable
from sluice_sidecar.cache.stores.pinecone_record import metadata_of, nowhere, scope_of, unpacked
from sluice_sidecar.cache.stores.pinecone_rest import MOST_FOUND, Filter, Index, Refused
from sluice_sidecar.cache.stores.points import array
from sluice_sidecar.cache.stores.store import Record, StoreError

READ = 0.25
"""Seconds that a request waits for an answer: Pinecone is never next door."""

PURGE = 30.0
"""Seconds for a delete of many records; no request waits for one."""

SWEEP = 60.0
"""Seconds between two looks for records that ended: each is a query that is paid for."""

LAG = 300.0
"""Seconds for which Pinecone may show what was deleted."""


@dataclass(frozen=True, slots=True)
class Known:
    """What this process knows of a record that is there."""

    policy: str
    tenant: str | None
    used: float
    until: float


def _unattributed(policy: str) -> Known:
    """A record that another gateway wrote, before it is looked whose it is."""
    return Known(policy, None, 0.0, float("inf"))


class PineconeStore:
    """See Store; for one event loop. `connect` is asked at every (re)connection, so new keys are taken up.

    `connect` raises StoreError where the key is missing; `close` closes what it gave out. `patience` is how many
    seconds a request waits for an answer.
    """

    def __init__(
        self, name: str, connect: Callable[[], Index], close: Callable[[], Awaitable[None]], *,
        width: int = WIDTH, seconds: Callable[[], float] = time.monotonic, patience: float = READ,
    ) -> None:  # fmt: skip
        self._width = width
        self._reach, self._disconnect, self._seconds = connect, close, seconds
        self._link = Link(f"pinecone {name}", self._connect, seconds=seconds)
        self._index: Index | None = None
        self._known: dict[str, Known] = {}
        self._counts: Counter[str] = Counter()
        self._adopted: set[str] = set()
        self._gone: dict[str, tuple[float, str | None]] = {}
        """Deleted key -> until when it may still be shown, and which blob took its place."""
        self._next_sweep = 0.0
        self._damaged = self._refused = self._too_large = 0
        self._patience = patience

    # Opening and closing

    async def open(self) -> None:
        """See Store. An index that is away is no error: it is tried again by `upkeep`."""
        await self._link.open()

    async def close(self) -> None:
        """See Store."""
        await self._link.close()
        await self._disconnect()

    async def _connect(self) -> None:
        index = self._reach()
        about = await index.about()
        width, metric = about.get("dimension"), about.get("metric", "cosine")
        if width != self._width or metric not in ("cosine", "dotproduct"):
            raise StoreError(
                f"the index has {width} dimensions and metric {metric}, not {self._width} and cosine: "
                "give it another index"
            )
        self._index = index
        self._adopted.clear()

    def _live(self) -> Index:
        if self._index is None:
            raise Unreachable("not connected")
        return self._index

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        if not self._link.up:
            return None
        metadata = await self._link.ask(lambda: self._live().fetch(key), self._patience)
        record = None if metadata is None else (await self._given([(key, metadata)]))[0]
        return record.data if record is not None and record.until > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        if not self._link.up:
            return []
        chosen: Filter = {"$and": [{"scope": {"$eq": scope_of(scope)}}, {"expires": {"$gt": now}}]}
        matches = await self._link.ask(
            lambda: self._live().query(array(vector), chosen, limit, metadata=True), self._patience
        )
        records = await self._given((str(match.get("id")), match.get("metadata") or {}) for match in matches)
        near = [
            (float(match.get("score") or 0.0), record.data)
            for match, record in zip(matches, records, strict=True)
            if record is not None and record.scope == scope and record.expires > now
        ]
        return [(cosine, data) for cosine, data in near if cosine >= least]

    async def scan(self, policy: str) -> AsyncIterator[bytes]:
        """See Scannable; up to MOST_FOUND records."""
        keys = await self._link.ask(lambda: self._matching({"policy": {"$eq": policy}}), PURGE)
        for key in keys:
            metadata = await self._link.ask(lambda key=key: self._live().fetch(key), WRITE)  # type: ignore[misc]
            record = None if metadata is None else (await self._given([(key, metadata)]))[0]
            if record is not None and record.policy == policy:
                yield record.data

    async def _given(self, found: Iterable[tuple[str, dict[str, Any]]]) -> list[Record | None]:
        """The records that are whole and not deleted; damaged ones are deleted."""
        records: list[Record | None] = []
        damaged = []
        for key, metadata in found:
            blob = metadata.get("record")
            gone = self._gone.get(key)
            if gone is not None and gone[1] != blob:
                records.append(None)
                continue
            record = unpacked(blob)
            if record is None or record.key != key:
                damaged.append(key)
                record = None
            records.append(record)
        if damaged:
            self._damaged += len(damaged)
            await self._link.ask(lambda: self._delete(damaged), WRITE)
        return records

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False while the index is away, and for a record that metadata cannot hold."""
        if most < 1 or not self._link.up:
            self._refused += 1
            return False
        metadata = metadata_of(record)
        if metadata is None:
            self._too_large += 1
            self._refused += 1
            return False
        key, vector = record.key, nowhere(self._width) if record.vector is None else array(record.vector)
        await self._link.ask(lambda: self._live().upsert(key, vector, metadata), WRITE)
        if key in self._gone:
            self._gone[key] = (self._gone[key][0], metadata["record"])
        self._know(key, Known(record.policy, record.tenant, record.used, record.until))
        await self._link.ask(lambda: self._bound(record, most), WRITE)
        return True

    async def _bound(self, record: Record, most: int) -> None:
        """Evicts beyond the bound, among those who hold most; what others wrote counts as last used before all that
        this process knows."""
        policy = record.policy
        if policy not in self._adopted:
            for key in await self._matching({"policy": {"$eq": policy}}):
                if key not in self._known:
                    self._know(key, _unattributed(policy))
            self._adopted.add(policy)
        number = surplus(self._counts[policy], most)
        if not number:
            return
        await self._attribute(policy)
        held: dict[str | None, list[tuple[float, str]]] = {}
        for key, known in self._known.items():
            if known.policy == policy:
                held.setdefault(known.tenant, []).append((known.used, key))
        given = givers({tenant: len(uses) for tenant, uses in held.items()}, record.tenant, number)
        await self._delete([key for tenant, some in given.items() for _, key in nsmallest(some, held[tenant])])

    async def _attribute(self, policy: str) -> None:
        """Finds out whose the records are that others wrote: one is read, and all of its tenant's are named with it."""
        while (
            key := next((key for key, one in self._known.items() if one == _unattributed(policy)), None)
        ) is not None:
            record = unpacked(((await self._live().fetch(key)) or {}).get("record"))
            if record is None or record.policy != policy:
                self._unknow(key)
                continue
            whose: Filter = {"$and": [{"policy": {"$eq": policy}}, {"tenant": {"$eq": record.tenant}}]}
            for one in {key, *await self._matching(whose)}:
                if self._known.get(one) == _unattributed(policy):
                    self._known[one] = replace(self._known[one], tenant=record.tenant)

    def _know(self, key: str, known: Known) -> None:
        self._unknow(key)
        self._known[key] = known
        self._counts[known.policy] += 1

    def _unknow(self, key: str) -> None:
        before = self._known.pop(key, None)
        if before is not None:
            self._counts[before.policy] -= 1

    async def _matching(self, chosen: Filter) -> list[str]:
        """Keys of up to MOST_FOUND records that match, as far as Pinecone shows them."""
        found = await self._live().query(nowhere(self._width), chosen, MOST_FOUND, metadata=False)
        return [key for key in (str(match["id"]) for match in found) if key not in self._gone]

    async def _delete(self, keys: list[str]) -> None:
        await self._live().delete(keys)
        self._let_go(keys)

    def _let_go(self, keys: Iterable[str]) -> None:
        end = self._seconds() + LAG
        for key in keys:
            self._unknow(key)
            self._gone[key] = (end, None)

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self.purge(None, None, key) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. Complete at once for what this gateway wrote or Pinecone shows; what another gateway wrote in the
        last seconds goes too, by a deletion that comes after it, where the index deletes by metadata.
        """
        return await self._link.ask(lambda: self._purge(policy, tenant, key), PURGE)

    async def _purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        if key is not None:
            record = unpacked(((await self._live().fetch(key)) or {}).get("record"))
            there = record is not None and policy in (None, record.policy) and tenant in (None, record.tenant)
            known = self._known.get(key)
            mine = known is not None and policy in (None, known.policy) and tenant in (None, known.tenant)
            found = mine or (there and key not in self._gone)
            if found or (policy is None and tenant is None):  # one that Pinecone does not show yet goes too
                await self._delete([key])
            return int(found)
        given = {"policy": policy, "tenant": tenant}
        conditions = [{name: {"$eq": value}} for name, value in given.items() if value is not None]
        chosen: Filter = {"$and": conditions} if conditions else {}
        keys = {
            key for key, known in self._known.items()
            if policy in (None, known.policy) and tenant in (None, known.tenant)
        }  # fmt: skip
        while more := set(await self._matching(chosen)) - keys:
            keys |= more
            await self._delete(sorted(more))
        await self._delete(sorted(keys))
        with suppress(Refused):  # an index of a kind that does not delete by metadata
            await self._live().delete_matching(chosen)
        return len(keys)

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store. Marked here alone: a write to Pinecone for each use would cost more than it saves."""
        for key in keys:
            if key in self._known:
                self._known[key] = replace(self._known[key], used=now)

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        self._link.upkeep()
        if self._link.up and self._seconds() >= self._next_sweep:
            self._next_sweep = self._seconds() + SWEEP
            self._gone = {key: gone for key, gone in self._gone.items() if gone[0] > self._seconds()}
            await self._link.ask(lambda: self._sweep(now), PURGE)

    async def _sweep(self, now: float) -> None:
        """Deletes what has ended."""
        ended = {key for key, known in self._known.items() if known.until <= now}
        ended |= set(await self._matching({"until": {"$lte": now}}))
        if ended:
            await self._delete(sorted(ended))

    def stats(self) -> dict[str, object]:
        """See Store; with the reason where it is off, entries by policy as this process knows them, puts refused, those
        of them that were too large for metadata, and damaged records dropped since the start."""
        return {
            "state": "open" if self._link.up else "off",
            "reason": self._link.reason,
            "entries": len(self._known),
            "policies": {policy: count for policy, count in self._counts.items() if count},
            "refused": self._refused,
            "too_large": self._too_large,
            "damaged": self._damaged,
        }
