"""The gateway with a policy that names a verifier: what it refuses, or cannot say, goes to the model."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.behaviours import error, json_body, stall, text
from doubles.onnx_folders import folder, pair_folder
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import (
    Config,
    OnnxEmbedding,
    OnnxVerifier,
    Paraphrase,
    Verifier,
    VerifierEndpoint,
    VerifierModel,
)

ASKED, REWORDED = "How do I reset my password?", "Please tell me how to reset my password"


def wanting(up: Scripted, models: Path, model: VerifierModel, timeout: float) -> Config:
    verifier = Verifier(model=model, threshold=0.5, timeout=timeout)
    kept = policy(
        paraphrase=Paraphrase(similarity=0.5, verifier=verifier),
        embedding=OnnxEmbedding(path=str(folder(models / "words"))),  # every word is unknown to it: every ask is alike
    )
    return config(route([backend(up.url)], policy=kept.name), policies=[kept])


async def stored(served: Served) -> None:
    """Answers are stored behind the answer: wait for the store's own count."""
    cache = served.gateway.cache
    assert cache is not None
    async with asyncio.timeout(60):
        while not cache.stats()["store"]["entries"]:
            await asyncio.sleep(0)


async def reworded(tmp_path: Path, model: VerifierModel, timeout: float = 30.0) -> str:
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        up.otherwise(text("Click on it."))
        async with serving(wanting(up, tmp_path, model, timeout), data=tmp_path / "data") as served:
            for asked in (ASKED, REWORDED):
                body = {"model": "auto", "messages": [{"role": "user", "content": asked}]}
                answer = await client.post(f"{served.base_url}/chat/completions", json=body)
                assert answer.status_code == 200
                if asked == ASKED:
                    await stored(served)
            return str(answer.headers["x-sluice-cache"]).split(";")[0].split()[0]


@pytest.mark.parametrize(("weight", "said"), [(0.2, "paraphrase"), (-0.2, "miss"), (float("nan"), "miss")])
async def test_a_folder(tmp_path: Path, weight: float, said: str) -> None:
    model = pair_folder(tmp_path / "pairs", {"[CLS]": [weight]})
    assert await reworded(tmp_path, OnnxVerifier(path=str(model))) == said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json_body({"results": [{"index": 0, "relevance_score": 0.9}]}), "paraphrase"),
        (json_body({"results": [{"index": 0, "relevance_score": 0.1}]}), "miss"),
        (error(500), "miss"),
        (json_body({"data": [{"index": 0, "embedding": [1.0]}]}), "miss"),
    ],
    ids=["agrees", "differs", "fails", "another shape"],
)
async def test_an_endpoint(tmp_path: Path, answer: Any, said: str) -> None:
    async with Scripted() as scores:
        scores.otherwise(answer)
        assert await reworded(tmp_path, VerifierEndpoint(url=scores.url)) == said


async def test_one_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    async with Scripted() as scores:
        scores.otherwise(stall())
        assert await reworded(tmp_path, VerifierEndpoint(url=scores.url), timeout=0.05) == "miss"
