"""The gateway with policies that bring their own embedding model."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.behaviours import embeddings, error, json_body, text
from doubles.onnx_folders import folder
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import (
    Config,
    EmbeddedStore,
    Embedding,
    EmbeddingEndpoint,
    FaissStore,
    OnnxEmbedding,
    Paraphrase,
    SharedStore,
)

ASKED, REWORDED = "How do I reset my password?", "Please tell me how to reset my password"
SAME = json_body({"data": [{"index": 0, "embedding": [1.0] * 384}]})


def wanting(up: Scripted, embedding: Embedding, store: SharedStore | None = None) -> Config:
    kept = policy(paraphrase=Paraphrase(similarity=0.5), embedding=embedding, store=store)
    return config(route([backend(up.url)], policy=kept.name), policies=[kept])


async def ask(client: httpx.AsyncClient, served: Served, asked: str) -> Any:
    body = {"model": "auto", "messages": [{"role": "user", "content": asked}]}
    answer = await client.post(f"{served.base_url}/chat/completions", json=body)
    return answer.status_code, answer.headers["x-sluice-cache"]


async def stored(served: Served) -> None:
    """Answers are stored behind the answer: wait for the store's own count."""
    cache = served.gateway.cache
    assert cache is not None
    async with asyncio.timeout(60):
        while not any(store.stats()["entries"] for store in cache._stores):
            await asyncio.sleep(0)


async def hit_by_another_wording(served: Served) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        assert (await ask(client, served, ASKED))[0] == 200
        await stored(served)
        status, said = await ask(client, served, REWORDED)
        assert (status, said.split(";")[0].split()[0]) == (200, "paraphrase"), said


async def test_a_folder_of_its_own(tmp_path: Path) -> None:
    async with Scripted() as up:
        up.otherwise(text("Click on it."))
        model = folder(tmp_path / "model")  # every word is unknown to it: every ask is alike
        async with serving(wanting(up, OnnxEmbedding(path=str(model))), data=tmp_path / "data") as served:
            await hit_by_another_wording(served)


@pytest.mark.parametrize(
    ("width", "store"),
    [(128, None), (768, EmbeddedStore(dimensions=768)), (768, FaissStore(dimensions=768))],
)
async def test_a_folder_of_another_width(tmp_path: Path, width: int, store: SharedStore | None) -> None:
    async with Scripted() as up:
        up.otherwise(text("Click on it."))
        embedding = OnnxEmbedding(path=str(folder(tmp_path / "model", width=width)), dimensions=width)
        async with serving(wanting(up, embedding, store), data=tmp_path / "data") as served:
            await hit_by_another_wording(served)


async def test_the_next_width_is_built_beside_and_the_old_one_goes_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with Scripted() as up:
        up.otherwise(text("Click on it."))
        wide = OnnxEmbedding(path=str(folder(tmp_path / "wide", width=768)), dimensions=768)
        narrow = OnnxEmbedding(path=str(folder(tmp_path / "narrow", width=128)), dimensions=128)
        wanted = wanting(up, wide, EmbeddedStore(dimensions=768))
        async with serving(wanted, data=data) as served:
            await hit_by_another_wording(served)
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                await served.gateway.swap(wanting(up, narrow))
                assert await ask(client, served, "Where can I reset my password now?") == (200, "miss")
                await stored(served)
                await served.gateway.swap(wanted)
                assert (await ask(client, served, "Tell me how to reset my password, please"))[1].startswith(
                    "paraphrase"
                )
            await served.gateway.swap(wanting(up, narrow))
        assert (data / "cache-768").is_dir()
        async with serving(wanting(up, narrow), data=data):
            assert not (data / "cache-768").exists()
        assert (data / "cache").is_dir()


async def test_an_endpoint(tmp_path: Path) -> None:
    async with Scripted() as up, Scripted() as vectors:
        up.otherwise(text("Click on it."))
        vectors.otherwise(SAME)
        embedding = EmbeddingEndpoint(url=vectors.url, model="small")
        async with serving(wanting(up, embedding), data=tmp_path / "data") as served:
            await hit_by_another_wording(served)
        assert {request.path for request in vectors.requests} == {"/v1/embeddings"}


@pytest.mark.parametrize("trouble", [error(500), embeddings(8)], ids=["fails", "other dimension"])
async def test_its_trouble_is_a_miss(tmp_path: Path, trouble: Any) -> None:
    async with Scripted() as up, Scripted() as vectors, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        up.otherwise(text("Click on it."))
        vectors.otherwise(trouble)
        embedding = EmbeddingEndpoint(url=vectors.url, model="small")
        async with serving(wanting(up, embedding), data=tmp_path / "data") as served:
            assert await ask(client, served, ASKED) == (200, "miss")
            await stored(served)
            assert await ask(client, served, REWORDED) == (200, "miss")


async def test_the_next_config_has_another(tmp_path: Path) -> None:
    """Nothing of the embedder before is found, and nothing of it is left open."""
    async with Scripted() as up:
        up.otherwise(text("Click on it."))
        one, other = (OnnxEmbedding(path=str(folder(tmp_path / str(seed), seed=seed))) for seed in (1, 2))
        async with serving(wanting(up, one), data=tmp_path / "data") as served:
            await hit_by_another_wording(served)
            await served.gateway.swap(wanting(up, other))
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                assert await ask(client, served, "Tell me how to reset my password, please") == (200, "miss")
