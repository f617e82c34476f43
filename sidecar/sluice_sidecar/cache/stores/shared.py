"""From a policy's store settings to the store: addresses that may be reached, credentials, one client a store."""

import asyncio
from typing import Protocol

from sluice_sidecar.cache.stores.qdrant import QdrantStore
from sluice_sidecar.cache.stores.qdrant_rest import Collection
from sluice_sidecar.cache.stores.redis import Purged, RedisStore, Server
from sluice_sidecar.cache.stores.store import Store, StoreError
from sluice_sidecar.config import Credential, RedisServer, SharedStore
from sluice_sidecar.config import QdrantStore as QdrantSettings
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.guard import Guard

ANYWHERE = ("0.0.0.0/0", "::/0")
"""Where a managed store may be: the operator made its address. A cloud's metadata service stays out of reach."""


class Secrets(Protocol):
    """Secret values by reference."""

    def get(self, secret: str, key: str) -> str | None:
        """The value; None when it is missing."""

    def where(self, secret: str, key: str) -> str:
        """Where it is looked for."""


def shared_store(settings: SharedStore, secrets: Secrets, guard: Guard, purged: Purged) -> Store:
    """The store that `settings` describe, not opened. `guard` says where one that is not managed may be.

    `purged` is told what other gateways purged, where the store can carry that news.
    """
    reach = Guard(ANYWHERE, loopback=True) if settings.managed else guard
    if isinstance(settings, RedisServer):
        return _redis(settings, secrets, reach, purged)
    return _qdrant(settings, secrets, reach)


def _redis(settings: RedisServer, secrets: Secrets, guard: Guard, purged: Purged) -> RedisStore:
    async def server() -> Server:
        host, _, port = settings.address.rpartition(":")
        try:
            addresses = await guard.addresses(host.strip("[]"), int(port))
        except UpstreamError as error:
            raise StoreError(str(error)) from error
        except ValueError as error:
            raise StoreError(f"the address {settings.address!r} is not host:port: {error}") from None
        # Connected to by the address that was checked: the name is not resolved again.
        return str(addresses[0][0]), int(port), value(secrets, settings.username), value(secrets, settings.password)

    return RedisStore(settings.address, settings.prefix, server, purged=purged)


def _qdrant(settings: QdrantSettings, secrets: Secrets, guard: Guard) -> QdrantStore:
    clients: list[Client] = []

    async def close() -> None:
        await asyncio.gather(*(client.close() for client in clients))
        clients.clear()

    def connect() -> Collection:
        if not clients:
            clients.append(Client(guard))
        key = value(secrets, settings.api_key)
        try:
            return Collection(clients[0], settings.url, settings.collection, None if key is None else key.encode())
        except ValueError as error:
            raise StoreError(str(error)) from None

    return QdrantStore(f"{settings.url} {settings.collection}", connect, close)


def value(secrets: Secrets, credential: Credential | None) -> str | None:
    """A credential's value, None where none is wanted. Raises StoreError, which says where to put a missing one."""
    if credential is None:
        return None
    found = (secrets.get(credential.secret, credential.key) or "").strip()
    if not found:
        where = secrets.where(credential.secret, credential.key)
        raise StoreError(f"the credential {credential.secret}/{credential.key} has no value: set {where}")
    return found
