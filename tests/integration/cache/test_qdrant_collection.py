"""A Qdrant collection: made where the key may, taken as it is where it fits, refused with the reason where not."""

import asyncio
import base64
import hmac
import json
import sys
from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.qdrant_stand_in import standing_in
from doubles.records import NOW, record
from doubles.redis_server import free_port
from doubles.running import PATIENCE, ROOT
from doubles.stores import qdrant_store
from sluice_sidecar.cache.stores.qdrant import INDEXES, QdrantStore
from sluice_sidecar.cache.stores.qdrant_rest import Collection
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

KEY = "the-server-key"


def token(**claims: object) -> str:
    """A JSON Web Token as Qdrant's own, signed with the server's key."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    ]
    mac = hmac.new(KEY.encode(), b".".join(parts), "sha256").digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


async def test_it_is_made_with_its_indexes_and_lives_on(tmp_path: Path) -> None:
    async with standing_in(tmp_path, KEY) as server:
        for _ in range(2):
            store = qdrant_store(server, api_key=KEY)
            await store.open()
            assert store.stats()["state"] == "open", store.stats()
            await store.close()
        schema = server.app.schemas["house"]
        assert schema.keys() == INDEXES.keys()
        assert schema["scope"]["params"]["is_tenant"] is True
        assert server.app.asked.count(("PUT", "")) == 1


@pytest.mark.parametrize("key", [None, "another", token(access="r", exp=1)])
async def test_a_wrong_key_is_said(tmp_path: Path, key: str | None) -> None:
    async with standing_in(tmp_path, KEY) as server:
        store = qdrant_store(server, api_key=key)
        await store.open()
        assert store.stats()["state"] == "off"
        assert "API key is refused" in str(store.stats()["reason"])
        await store.close()


async def test_a_token_of_one_collection_uses_that_one_and_makes_none(tmp_path: Path) -> None:
    async with standing_in(tmp_path, KEY) as server:
        client = Client(Guard(loopback=True))
        await Collection(client, server.url, "house", KEY.encode()).make("text", 384)
        await client.close()
        own = token(access=[{"collection": "house", "access": "rw"}])
        store = qdrant_store(server, api_key=own)
        await store.open()
        assert await store.put(record(1, vector=axis(1.0).tobytes()), 10)
        assert await store.get(record(1).key, NOW) == record(1).data
        await store.close()
        other = qdrant_store(server, api_key=own, collection="mansion")
        await other.open()
        assert other.stats()["state"] == "off"
        assert "API key may not" in str(other.stats()["reason"])
        await other.close()


@pytest.mark.parametrize(("vector", "width"), [("text", 8), ("image", 384)])
async def test_one_of_another_shape_is_refused(tmp_path: Path, vector: str, width: int) -> None:
    async with standing_in(tmp_path) as server:
        client = Client(Guard(loopback=True))
        await Collection(client, server.url, "house", None).make(vector, width)
        await client.close()
        store = qdrant_store(server)
        await store.open()
        assert store.stats()["state"] == "off"
        assert "give it another collection" in str(store.stats()["reason"])
        await store.close()


@pytest.mark.parametrize("name", ["a/b", "", "a?b", "ä"])
async def test_a_name_that_is_no_path_segment_is_refused(name: str) -> None:
    client = Client(Guard(loopback=True))
    with pytest.raises(ValueError, match="collection's name"):
        Collection(client, "http://127.0.0.1:1", name, None)
    await client.close()


async def test_the_stand_in_runs_as_a_program_and_keeps_its_points(tmp_path: Path) -> None:
    port = free_port()
    for restarted in (False, True):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "e2e.images.qdrant_stand_in", "--storage", str(tmp_path / "q")),
            *("--port", str(port), "--api-key", KEY),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
        )
        client = Client(Guard(loopback=True))
        url = f"http://127.0.0.1:{port}"
        store = QdrantStore(
            url,
            lambda: Collection(client, url, "house", KEY.encode()),  # noqa: B023
            client.close,
            patience=PATIENCE,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await store.open()
                while store.stats()["state"] != "open":
                    await asyncio.sleep(0.05)
                    await store.upkeep(NOW)
            assert restarted or await store.put(record(1), 10)
            assert await store.get(record(1).key, NOW) == record(1).data
        finally:
            await store.close()
            process.terminate()
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
