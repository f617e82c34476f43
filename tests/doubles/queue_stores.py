"""Stores of deferred requests on what they really run on: what the tests that hold for each of them open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from doubles.batching import opened
from doubles.redis_server import RunningRedis
from sluice_sidecar.batch.stores.redis import RedisStore
from sluice_sidecar.batch.stores.redis_link import Server
from sluice_sidecar.batch.stores.store import Store

STORES = ("sqlite", "redis")


@asynccontextmanager
async def opened_store(where: str) -> AsyncIterator[Store]:
    """The store at an `address`, as it was left there."""
    kind, _, rest = where.partition(" ")
    if kind == "sqlite":
        queue = await opened(Path(rest))
        try:
            yield queue.store
        finally:
            await queue.close()
        return
    port, _, prefix = rest.partition(" ")

    async def server() -> Server:
        return "127.0.0.1", int(port), None, None

    store = RedisStore(prefix, server)
    try:
        yield store
    finally:
        await store.close()


def address(kind: str, folder: Path, server: RunningRedis) -> str:
    """Where a test's own store lies, for this process and any it starts."""
    return f"sqlite {folder / 'batch'}" if kind == "sqlite" else f"redis {server.port} sluice:{folder.name}:"
