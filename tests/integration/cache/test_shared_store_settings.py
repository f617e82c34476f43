"""From settings to a store: where it may be, and with which credentials."""

import sys
from pathlib import Path

import pytest

from doubles.records import NOW, record
from doubles.redis_server import RunningRedis
from sluice_sidecar.cache.stores.shared import Settings, shared_store
from sluice_sidecar.config import Credential, PineconeStore, QdrantStore, RedisServer
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.upstream.guard import Guard

PASSWORD = Credential(secret="redis", key="password")
PRESENT = Credential(secret="pinecone", key="key")


async def reason(settings: Settings, guard: Guard, secrets: Credentials | None = None) -> str:
    """Why the store that is made of these settings is off; empty where it is open."""
    store = shared_store(settings, secrets or Credentials({"SLUICE_SECRET_PINECONE_KEY": "k"}), guard, lambda *_: None)
    await store.open()
    found = str(store.stats()["reason"])
    await store.close()
    return found


@pytest.mark.parametrize(
    "settings",
    [
        RedisServer(address="127.0.0.1:1", prefix="a:"),
        RedisServer(address="[::1]:1", prefix="a:"),
        QdrantStore(url="http://127.0.0.1:1", collection="a"),
        PineconeStore(url="https://127.0.0.1:1", namespace="a", api_key=PRESENT),
        RedisServer(address="169.254.169.254:80", prefix="a:", managed=True),
        QdrantStore(url="http://169.254.169.254", collection="a", managed=True),
    ],
)
async def test_an_address_that_is_not_allowed_is_not_connected_to(settings: Settings) -> None:
    assert "egress denied" in await reason(settings, Guard())


async def test_a_managed_store_may_be_at_a_private_address(tmp_path: Path) -> None:
    async with RunningRedis(tmp_path) as server:
        settings = RedisServer(address=server.address, prefix="a:", managed=True)
        assert await reason(settings, Guard()) == ""


@pytest.mark.parametrize("address", ["redis", "redis:", "redis:port"])
async def test_what_is_no_address_is_said(address: str) -> None:
    assert "is not host:port" in await reason(RedisServer(address=address, prefix="a:"), Guard())


@pytest.mark.parametrize(
    "settings",
    [
        RedisServer(address="127.0.0.1:1", prefix="a:", password=PASSWORD),
        QdrantStore(url="http://127.0.0.1:1", collection="a", api_key=PASSWORD),
        PineconeStore(url="http://127.0.0.1:1", namespace="a", api_key=PASSWORD),
    ],
)
async def test_a_missing_credential_is_said_with_its_place(settings: Settings) -> None:
    assert "set variable SLUICE_SECRET_REDIS_PASSWORD" in await reason(settings, Guard(loopback=True))


async def test_user_name_and_password_open_the_server(tmp_path: Path) -> None:
    secrets = Credentials({"SLUICE_SECRET_REDIS_PASSWORD": "sesame", "SLUICE_SECRET_REDIS_USERNAME": "team"})
    async with RunningRedis(tmp_path) as server:
        await server.do("ACL", "SETUSER", "team", "on", ">sesame", "~a:*", "+@all")
        username = Credential(secret="redis", key="username")
        settings = RedisServer(address=server.address, prefix="a:", username=username, password=PASSWORD)
        store = shared_store(settings, secrets, Guard(loopback=True), lambda *_: None)
        await store.open()
        assert await store.put(record(1), 10)
        assert await store.get(record(1).key, NOW) == record(1).data
        await store.close()


async def test_without_the_client_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    settings = RedisServer(address="127.0.0.1:1", prefix="a:")
    assert "install sluice-llm[redis]" in await reason(settings, Guard(loopback=True))
