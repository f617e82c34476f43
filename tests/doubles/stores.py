"""Stores on their real servers, opened: what the tests that hold for every store run on."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from doubles.cached import Hands
from doubles.pinecone_stand_in import PineconeStandIn, pinecone_stand_in
from doubles.qdrant_stand_in import Standing, standing_in
from doubles.redis_search_stand_in import SearchRedis
from doubles.redis_server import RunningRedis
from sluice_operator.plan.store_secrets import REDIS_USER, redis_users
from sluice_operator.sections import redis_prefix
from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.faiss import FaissStore
from sluice_sidecar.cache.stores.pinecone import PineconeStore
from sluice_sidecar.cache.stores.pinecone_rest import Index
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
    server: RunningRedis | SearchRedis, *, prefix: str = PREFIX, username: str | None = None,
    password: str | None = None, seconds: Callable[[], float] = time.monotonic, purged: Purged | None = None,
    patience: float = PATIENCE, width: int = WIDTH,
) -> RedisStore:  # fmt: skip
    """A store on that server, not opened."""

    async def where() -> Server:
        return "127.0.0.1", server.port, username, password

    return RedisStore(
        f"127.0.0.1:{server.port}", prefix, where, seconds=seconds, purged=purged, patience=patience, width=width
    )


def qdrant_store(
    server: Standing, *, api_key: str | None = None, collection: str = "house",
    seconds: Callable[[], float] = time.monotonic, width: int = WIDTH,
) -> QdrantStore:  # fmt: skip
    """A store on that server, not opened."""
    client = Client(Guard(loopback=True))

    def connect() -> Collection:
        return Collection(client, server.url, collection, None if api_key is None else api_key.encode())

    return QdrantStore(server.url, connect, client.close, seconds=seconds, patience=PATIENCE, width=width)


def pinecone_store(
    index: PineconeStandIn, *, api_key: str = "key", namespace: str = "house",
    seconds: Callable[[], float] = time.monotonic, width: int = WIDTH,
) -> PineconeStore:  # fmt: skip
    """A store on that index, not opened."""
    client = Client(Guard(loopback=True))

    def connect() -> Index:
        return Index(client, index.url, namespace, api_key.encode())

    return PineconeStore(index.url, connect, client.close, seconds=seconds, patience=PATIENCE, width=width)


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
    """The Redis store as the operator sets it up, on a real Redis 8: with its users, and no right besides."""
    clock = Hands()
    prefix = redis_prefix("shop")
    user, password = REDIS_USER, "of-gateways"
    users = folder / "users.acl"
    users.write_text(redis_users("shop", password, "of-the-operator"))
    async with RunningRedis(folder, "--aclfile", str(users)) as server:
        store = redis_store(server, prefix=prefix, username=user, password=password, seconds=clock)
        await store.open()

        async def damage(key: str) -> None:
            name = f"{prefix}a:{key}"
            blob = await server.do("GET", name, username=user, password=password)
            damaged = blob.replace(b"xxx", b"xyx")
            await server.do("SET", name, damaged, "KEEPTTL", username=user, password=password)

        yield Kept(store, clock, damage)
        await store.close()


@asynccontextmanager
async def redis_search(folder: Path) -> AsyncIterator[Kept]:
    """The Redis store on a server without vector sets: the stand-in for RediSearch, before a real Redis."""
    clock = Hands()
    async with RunningRedis(folder) as server, SearchRedis(server) as search:
        store = redis_store(search, seconds=clock)
        await store.open()

        async def damage(key: str) -> None:
            blob = await server.do("GET", f"{PREFIX}a:{key}")
            await server.do("SET", f"{PREFIX}a:{key}", blob.replace(b"xxx", b"xyx"), "KEEPTTL")

        yield Kept(store, clock, damage)
        await store.close()


@asynccontextmanager
async def faiss(folder: Path) -> AsyncIterator[Kept]:
    """The Faiss store."""
    clock = Hands()
    store = FaissStore(folder / "faiss", seconds=clock)
    await store.open()

    async def damage(key: str) -> None:
        assert store._records is not None
        file = store._records.rows._file
        file.execute("UPDATE records SET sealed = replace(sealed, 'xxx', 'xyx') WHERE key = ?", (key,))

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


@asynccontextmanager
async def pinecone(folder: Path) -> AsyncIterator[Kept]:
    """The Pinecone store, on the stand-in for an index."""
    clock = Hands()
    async with pinecone_stand_in() as index:
        store = pinecone_store(index, seconds=clock)
        await store.open()

        async def damage(key: str) -> None:
            index.stored["house"][key][1]["record"] += "AAAA"

        yield Kept(store, clock, damage)
        await store.close()


STORES = {
    "edge": edge, "faiss": faiss, "redis": redis, "redis_search": redis_search, "qdrant": qdrant, "pinecone": pinecone,
}  # fmt: skip
