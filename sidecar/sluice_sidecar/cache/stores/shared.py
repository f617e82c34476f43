"""From a policy's store settings to the store: addresses that may be reached, credentials, one client a store."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sluice_sidecar.cache.stores.pinecone import PineconeStore
from sluice_sidecar.cache.stores.pinecone_rest import Index
from sluice_sidecar.cache.stores.qdrant import QdrantStore
from sluice_sidecar.cache.stores.qdrant_rest import Collection
from sluice_sidecar.cache.stores.redis import Purged, RedisStore, Server
from sluice_sidecar.cache.stores.store import Store, StoreError
from sluice_sidecar.config import Credential, RedisServer
from sluice_sidecar.config import PineconeStore as PineconeSettings
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


Settings = QdrantSettings | RedisServer | PineconeSettings
"""A store on a network."""


def shared_store(settings: Settings, secrets: Secrets, guard: Guard, purged: Purged) -> Store:
    """The store that `settings` describe, not opened. `guard` says where one that is not managed may be.

    `purged` is told what other gateways purged, where the store can carry that news.
    """
    if isinstance(settings, RedisServer):
        return RedisStore(
            settings.address, settings.prefix, redis_server(settings, secrets, guard), purged=purged,
            width=settings.dimensions,
        )  # fmt: skip
    if isinstance(settings, PineconeSettings):
        return _pinecone(settings, secrets, guard)
    return _qdrant(settings, secrets, _reach(settings, guard))


def _reach(settings: Settings, guard: Guard) -> Guard:
    return Guard(ANYWHERE, loopback=True) if settings.managed else guard


def redis_server(settings: RedisServer, secrets: Secrets, guard: Guard) -> Callable[[], Awaitable[Server]]:
    """Where a Redis server is and what to sign in with; the call raises StoreError. `guard` as in `shared_store`."""
    guard = _reach(settings, guard)

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

    return server


class _Client:
    """One HTTP client, made when it is first needed, for one store."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._client: Client | None = None

    def get(self) -> Client:
        if self._client is None:
            self._client = Client(self._guard)
        return self._client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _qdrant(settings: QdrantSettings, secrets: Secrets, guard: Guard) -> QdrantStore:
    client = _Client(guard)

    def connect() -> Collection:
        key = value(secrets, settings.api_key)
        try:
            return Collection(client.get(), settings.url, settings.collection, None if key is None else key.encode())
        except ValueError as error:
            raise StoreError(str(error)) from None

    return QdrantStore(f"{settings.url} {settings.collection}", connect, client.close, width=settings.dimensions)


def _pinecone(settings: PineconeSettings, secrets: Secrets, guard: Guard) -> PineconeStore:
    client = _Client(guard)

    def connect() -> Index:
        key = value(secrets, settings.api_key) or ""
        try:
            return Index(client.get(), settings.url, settings.namespace, key.encode())
        except ValueError as error:
            raise StoreError(str(error)) from None

    return PineconeStore(f"{settings.url} {settings.namespace}", connect, client.close, width=settings.dimensions)


def value(secrets: Secrets, credential: Credential | None) -> str | None:
    """A credential's value, None where none is wanted. Raises StoreError, which says where to put a missing one."""
    if credential is None:
        return None
    found = (secrets.get(credential.secret, credential.key) or "").strip()
    if not found:
        where = secrets.where(credential.secret, credential.key)
        raise StoreError(f"the credential {credential.secret}/{credential.key} has no value: set {where}")
    return found
