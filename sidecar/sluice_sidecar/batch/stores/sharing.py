"""From a Config's `state` to the store of deferred requests that the gateways of a namespace share."""

import asyncio

from sluice_sidecar.batch.stores.redis import RedisStore
from sluice_sidecar.config import Config, RedisServer
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.upstream.guard import Guard

SETTLES = 30.0
"""Seconds after which a store that no Config names any more is closed: whoever waits for it has its answer by then."""


def lacking(config: Config) -> str:
    """What a Config lacks for a queue that gateways share, and what to do; "" where it has all."""
    if config.gateway.state is None:
        cure = "write spec.state: {redis: {managed: {}}} into its SluiceGateway"
        return f"this namespace has no queue that outlives a gateway: {cure}"
    if not config.windows:
        return "this namespace has no BatchWindow, so nothing runs what is deferred: create one"
    return ""


class StoreSharing:
    """Has the store of the latest Config."""

    def __init__(self, credentials: SecretSource) -> None:
        self._credentials = credentials
        self._by: tuple[RedisServer, Guard] | None = None
        self._store: RedisStore | None = None
        self._closing: dict[asyncio.Task[None], RedisStore] = {}

    def use(self, state: RedisServer, guard: Guard) -> RedisStore:
        """The store in `state`, the one before where nothing changed. `guard` says where a server may be that is not
        managed; credentials are read at every connection."""
        if self._store is not None and self._by == (state, guard):
            return self._store
        from sluice_sidecar.cache.stores.shared import redis_server

        if self._store is not None:
            task = asyncio.get_running_loop().create_task(_close(self._store))
            self._closing[task] = self._store
            task.add_done_callback(lambda done: self._closing.pop(done, None))
        self._by = state, guard
        self._store = RedisStore(state.prefix, redis_server(state, self._credentials, guard))
        return self._store

    async def close(self) -> None:
        """Lets go of every server."""
        stores = [*self._closing.values(), *([self._store] if self._store is not None else [])]
        for task in list(self._closing):
            task.cancel()
        for store in stores:
            await store.close()


async def _close(store: RedisStore) -> None:
    await asyncio.sleep(SETTLES)
    await store.close()
