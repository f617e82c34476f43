"""Stores on their real servers, opened: what the tests that hold for every store run on."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from doubles.cached import Hands
from doubles.qdrant_stand_in import Standing, standing_in
from doubles.redis_server import RunningRedis
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.points import ident_of
from sluice_sidecar.cache.stores.qdrant import QdrantStore
from sluice_sidecar.cache.stores.qdrant_rest import Collection
from sluice_sidecar.cache.stores.redis import Purged, RedisStore, Server
from sluice_sidecar.cache.stores.store import Store
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

PREFIX = "sluice:"

PATIENCE = 10.0
"""Seconds for an answer: a busy machine is no sick server."""


def redis_store(
    server: RunningRedis, *, prefix: str = PREFIX, username: str | None = None, password: str | None = None,
    seconds: Callable[[], float] = time.monotonic, purged: Purged | None = None, patience: float = PATIENCE,
) -> RedisStore:  # fmt: skip
    """A store on that server, not opened."""

    async def where() -> Server:
        return "127.0.0.1", server.port, username, password

    return RedisStore(server.address, prefix, where, seconds=seconds, purged=purged, patience=patience)


def qdrant_store(
    server: Standing, *, api_key: str | None = None, collection: str = "house",
    seconds: Callable[[], float] = time.monotonic,
) -> QdrantStore:  # fmt: skip
    """A store on that server, not opened."""
    client = Client(Guard(loopback=True))

    def connect() -> Collection:
        return Collection(client, server.url, collection, None if api_key is None else api_key.encode())

    return QdrantStore(server.url, connect, client.close, seconds=seconds, patience=PATIENCE)


@dataclass
class Kept:
    """A store, the clock of its pauses, and a hand that damages the record of a key where it lies."""

    store: Store
    clock: Hands
    damage: Callable[[str], Awaitable[None]] | None = None

    async def sweep(self, now: float) -> None:
        """A round of upkeep in which nothing is put off."""
        self.clock.at += 100.0
        await self.store.upkeep(now)


@asynccontextmanager
async def edge(folder: Path) -> AsyncIterator[Kept]:
    """The embedded store."""
    clock = Hands()
    store = EdgeStore(folder / "cache", seconds=clock)
    await store.open()
    yield Kept(store, clock)
    await store.close()


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[Kept]:
    """The Redis store, on a real Redis 8."""
    clock = Hands()
    async with RunningRedis(folder) as server:
        store = redis_store(server, seconds=clock)
        await store.open()

        async def damage(key: str) -> None:
            blob = await server.do("GET", f"{PREFIX}a:{key}")
            await server.do("SET", f"{PREFIX}a:{key}", blob.replace(b"xxx", b"xyx"), "KEEPTTL")

        yield Kept(store, clock, damage)
        await store.close()


@asynccontextmanager
async def qdrant(folder: Path) -> AsyncIterator[Kept]:
    """The Qdrant store, on the stand-in for a server."""
    clock = Hands()
    async with standing_in(folder) as server:
        store = qdrant_store(server, seconds=clock)
        await store.open()
        client = Client(Guard(loopback=True))
        collection = Collection(client, server.url, "house", None)

        async def damage(key: str) -> None:
            await collection.mark([ident_of(key)], {"data": "something else"})

        yield Kept(store, clock, damage)
        await store.close()
        await client.close()


STORES = {"edge": edge, "redis": redis, "qdrant": qdrant}
