"""A gateway whose policy names Faiss or Pinecone: its answers outlive a restart; without Faiss it serves on."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.pinecone_stand_in import pinecone_stand_in
from doubles.running import PATIENCE, until
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import Config, Credential, FaissStore, PineconeStore, SharedStore


def served(up: Scripted, store: SharedStore) -> Config:
    up.otherwise(do.text("A gate for water."))
    return config(route([backend(up.url)], policy="keep"), policies=[policy(store=store, requires=(store.type,))])


async def ask(running: Served) -> str:
    """How the cache took part in a good answer."""
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "What is a sluice?"}]}
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        answer = await client.post(running.url + "/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-sluice-cache"]


async def test_what_faiss_holds_outlives_the_gateway(tmp_path: Path) -> None:
    async with Scripted() as up:
        settings = served(up, FaissStore())
        async with serving(settings, data=tmp_path) as running:
            assert await ask(running) == "miss"
            await until(lambda: running.gateway.store("keep")[0] == 1, "the answer is stored")
        async with serving(settings, data=tmp_path) as running:
            assert await ask(running) == "identical"
        assert up.count == 1


async def test_without_faiss_the_gateway_serves_on_and_tells_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    async with Scripted() as up, serving(served(up, FaissStore()), data=tmp_path) as running:
        assert [await ask(running) for _ in range(2)] == ["miss", "identical"]  # the second from memory
        assert "pip install 'sluice-llm[faiss]'" in running.gateway.store("keep")[1]


async def test_what_is_at_pinecone_outlives_the_gateway() -> None:
    async with Scripted() as up, pinecone_stand_in("sesame") as index:
        key = Credential(secret="pinecone", key="key")
        settings = served(up, PineconeStore(url=index.url, namespace="house", api_key=key))
        environ = {"SLUICE_SECRET_PINECONE_KEY": "sesame"}
        async with serving(settings, environ=environ) as running:
            assert await ask(running) == "miss"
            await until(lambda: running.gateway.store("keep")[0] == 1, "the answer is stored")
        async with serving(settings, environ=environ) as running:
            assert await ask(running) == "identical"
        assert up.count == 1
