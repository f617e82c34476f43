"""Entries in a collection of a Qdrant server that gateways share.

A record is a point: the key is its id, labels and data are its payload, with a checksum over both. A point without a
vector is found by id and never as a neighbour. Scopes are kept apart by a filter on an `is_tenant` index, and what the
server gives is checked against the scope again.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.fair import givers, surplus
from sluice_sidecar.cache.stores.link import READ, WRITE, Link, Unreachable
from sluice_sidecar.cache.stores.points import VECTOR, array, ident_of, sum_of
from sluice_sidecar.cache.stores.qdrant_rest import Collection, Filter, Forbidden, Full, Missing
from sluice_sidecar.cache.stores.store import Record, StoreError

BATCH = 200
"""Points that one request deletes or marks."""

SWEEP = 10.0
"""Seconds between two looks for records that ended."""

PURGE = 30.0
"""Seconds for a delete of many points; no request waits for one."""

INDEXES: dict[str, dict[str, Any]] = {
    "scope": {"type": "keyword", "is_tenant": True},
    "tenant": {"type": "keyword"},
    "policy": {"type": "keyword"},
    "expires": {"type": "integer", "range": True, "lookup": False},
    "until": {"type": "integer", "range": True, "lookup": False},
    "used": {"type": "integer", "range": True, "lookup": False},
}
"""The collection's payload indexes; whoever makes it beforehand makes these, and the vector VECTOR of WIDTH."""


class QdrantStore:
    """See Store; for one event loop. `connect` is asked at every (re)connection, so new keys are taken up.

    `connect` raises StoreError where the key is missing; `close` closes what it gave out. `patience` is how many
    seconds a request waits for an answer.
    """

    def __init__(
        self, name: str, connect: Callable[[], Collection], close: Callable[[], Awaitable[None]], *,
        width: int = WIDTH, seconds: Callable[[], float] = time.monotonic, patience: float = READ,
    ) -> None:  # fmt: skip
        self._width = width
        self._collect, self._disconnect, self._seconds = connect, close, seconds
        self._link = Link(f"qdrant {name}", self._connect, seconds=seconds)
        self._collection: Collection | None = None
        self._counts: dict[str, int] = {}
        self._sure: set[str] = set()
        self._next_sweep = 0.0
        self._damaged = self._refused = 0
        self._patience = patience
        self._full = False

    # Opening and closing

    async def open(self) -> None:
        """See Store. A server that is away is no error: it is tried again by `upkeep`."""
        await self._link.open()

    async def close(self) -> None:
        """See Store."""
        await self._link.close()
        await self._disconnect()

    async def _connect(self) -> None:
        collection = self._collect()
        try:
            about = await collection.about()
        except Missing:
            try:
                await collection.make(VECTOR, self._width)
            except Forbidden as error:
                raise StoreError(f"the collection is not there, and the key may not make it: {error}") from error
            about = await collection.about()
        try:
            found = about["config"]["params"]["vectors"][VECTOR]
            width, distance = found["size"], found["distance"]
        except (KeyError, TypeError):
            raise StoreError(f"the collection has no vector named {VECTOR!r}: give it another collection") from None
        if (width, distance) not in ((self._width, "Cosine"), (self._width, "Dot")):
            raise StoreError(
                f"the collection's vector {VECTOR!r} has {width} dimensions and distance {distance}, "
                f"not {self._width} and Cosine: give it another collection"
            )
        for label in INDEXES.keys() - (about.get("payload_schema") or {}).keys():
            with suppress(
                Forbidden
            ):  # whoever made the collection may keep its indexes to themselves: slower, not wrong
                await collection.index(label, INDEXES[label])
        self._collection = collection

    def _live(self) -> Collection:
        if self._collection is None:
            raise Unreachable("not connected")
        return self._collection

    # Reading

    async def get(self, key: str, now: float) -> bytes | None:
        """See Store."""
        if not self._link.up:
            return None
        points = await self._link.ask(lambda: self._live().retrieve([ident_of(key)], True), self._patience)
        given = await self._given(points)
        return given[0][2] if given and given[0][1]["until"] > now else None

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        """See Store."""
        if not self._link.up:
            return []
        alive = {"key": "expires", "range": {"gt": now}}
        chosen: Filter = {"must": [_is("scope", scope), alive]}
        points = await self._link.ask(
            lambda: self._live().query(VECTOR, array(vector), chosen, limit, least), self._patience
        )
        return [
            (score, data)
            for score, payload, data in await self._given(points)
            if payload["scope"] == scope and payload["expires"] > now and score >= least
        ]

    async def _given(self, points: list[dict[str, Any]]) -> list[tuple[float, dict[str, Any], bytes]]:
        """(score, labels, data) of those that are whole; the others are dropped."""
        whole, damaged = [], []
        for point in points:
            ident, payload = str(point.get("id")), point.get("payload") or {}
            data = _verified(ident, payload)
            if data is None:
                damaged.append(ident)
            else:
                whole.append((float(point.get("score") or 0.0), payload, data))
        if damaged:
            self._damaged += len(damaged)
            await self._link.ask(lambda: self._live().delete({"must": [{"has_id": damaged}]}), WRITE)
        return whole

    # Writing

    async def put(self, record: Record, most: int) -> bool:
        """See Store. False while the server is away or full."""
        if most < 1 or not self._link.up:
            self._refused += 1
            return False
        vectors = {} if record.vector is None else {VECTOR: array(record.vector)}
        try:
            await self._link.ask(lambda: self._live().upsert(ident_of(record.key), vectors, _payload(record)), WRITE)
        except Full:
            self._full = True
            self._refused += 1
            return False
        self._full = False
        await self._link.ask(lambda: self._bound(record, most), WRITE)
        return True

    async def _bound(self, record: Record, most: int) -> None:
        """Evicts beyond the bound, among those who hold most. Puts are counted here and by the server now and then:
        others put too."""
        policy = record.policy
        count = self._counts[policy] = self._counts.get(policy, 0) + 1
        if count <= most and policy in self._sure:
            return
        chosen: Filter = {"must": [_is("policy", policy)]}
        count = await self._live().count(chosen)
        number = min(surplus(count, most), BATCH)
        if number:
            oldest: list[str] = []
            for tenant, some in givers(await self._live().values("tenant", chosen), record.tenant, number).items():
                theirs: Filter = {"must": [_is("policy", policy), _is("tenant", tenant)]}
                oldest += await self._live().first(theirs, "used", some)
            await self._live().delete({"must": [{"has_id": oldest}]})
            count -= len(oldest)
        self._counts[policy] = count
        self._sure.add(policy)

    async def drop(self, key: str) -> bool:
        """See Store."""
        return await self.purge(None, None, key) > 0

    async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
        """See Store. Gateways that hold an answer in their memory keep it there until they are told too."""
        conditions = [_is(name, value) for name, value in (("policy", policy), ("tenant", tenant)) if value is not None]
        if key is not None:
            conditions.append({"has_id": [ident_of(key)]})
        chosen: Filter = {"must": conditions}
        count = await self._link.ask(lambda: self._live().count(chosen), WRITE)
        if count:
            await self._link.ask(lambda: self._live().delete(chosen), PURGE)
            await self._link.ask(self._count, WRITE)
        return count

    async def touch(self, keys: list[str], now: float) -> None:
        """See Store."""
        if self._link.up:
            for start in range(0, len(keys), BATCH):
                idents = [ident_of(key) for key in keys[start : start + BATCH]]
                await self._link.ask(lambda idents=idents: self._touch(idents, now), WRITE)  # type: ignore[misc]

    async def _touch(self, idents: list[str], now: float) -> None:
        known = [str(point["id"]) for point in await self._live().retrieve(idents, False)]
        if known:
            await self._live().mark(known, {"used": int(now)})

    # Upkeep

    async def upkeep(self, now: float) -> None:
        """See Store."""
        self._link.upkeep()
        if self._link.up and self._seconds() >= self._next_sweep:
            self._next_sweep = self._seconds() + SWEEP
            ended: Filter = {"must": [{"key": "until", "range": {"lte": now}}]}
            await self._link.ask(lambda: self._live().delete(ended), PURGE)
            await self._link.ask(self._count, WRITE)
            self._sure.clear()

    async def _count(self) -> None:
        self._counts = await self._live().values("policy")

    def stats(self) -> dict[str, object]:
        """See Store; with the reason where it is off, and entries by policy as last counted (all gateways' together),
        puts refused and damaged records dropped since the start."""
        return {
            "state": "off" if not self._link.up else "full" if self._full else "open",
            "reason": self._link.reason,
            "entries": sum(self._counts.values()),
            "policies": dict(self._counts),
            "refused": self._refused,
            "damaged": self._damaged,
        }


def _is(label: str, value: str) -> dict[str, Any]:
    return {"key": label, "match": {"value": value}}


def _payload(record: Record) -> dict[str, Any]:
    """Labels, data as text and their sum. Times are cut to whole seconds, so a life is never lengthened."""
    payload: dict[str, Any] = {
        "key": record.key, "scope": record.scope, "tenant": record.tenant, "policy": record.policy,
        "expires": int(record.expires), "until": int(record.until), "used": int(record.used),
        "data": record.data.decode(),
    }  # fmt: skip
    # The server normalises vectors, so their bytes come back changed: the sum is over what decides and what is given.
    payload["sum"] = sum_of(payload, record.data, None)
    return payload


def _verified(ident: str, payload: dict[str, Any]) -> bytes | None:
    """The data of the record that was put under that id, or None when this is not it."""
    try:
        data: bytes = payload["data"].encode()
        whole = payload["sum"] == sum_of(payload, data, None) and ident_of(payload["key"]) == ident
    except (KeyError, AttributeError, TypeError, ValueError):
        return None
    return data if whole else None
