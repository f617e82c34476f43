"""Reuse that opened on evidence, as callers and operators see it: headers, hits, evidence, feedback."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving

KEYS = {"SLUICE_SECRET_KEYS_ACME": "acme-key", "SLUICE_SECRET_KEYS_BETA": "beta-key"}
THINGS = (
    "the parcel",
    "my order",
    "this sofa",
    "the new phone",
    "your shop",
    "the tea kettle",
    "that lamp",
    "our trip",
)
WORDS = ("wonderful", "great", "a joy", "excellent", "perfect", "lovely", "superb", "splendid", "charming", "brilliant")


@pytest.fixture
async def served(up: Scripted, tmp_path: Path) -> AsyncIterator[Served]:
    up.otherwise(do.text("positive"))
    kept = config(
        route([backend(up.url)], policy="keep"),
        policies=[policy(label=True, bound=0.3, shadow=0.0)],
        keys_secret="keys",
    )
    async with serving(kept, data=tmp_path, environ=KEYS) as one:
        yield one


async def ask(client: httpx.AsyncClient, served: Served, text: str) -> httpx.Response:
    body: dict[str, Any] = {
        "model": "auto",
        "messages": [{"role": "system", "content": "Name the sentiment."}, {"role": "user", "content": text}],
    }
    answer = await client.post(
        served.base_url + "/chat/completions", json=body, headers={"authorization": "Bearer acme-key"}
    )
    assert answer.status_code == 200, answer.text
    return answer


async def first_hit(client: httpx.AsyncClient, served: Served) -> httpx.Response:
    """New texts of one class, until one is answered from the cache."""
    for round_ in range(5):
        for thing in THINGS:
            for word in WORDS:
                answer = await ask(client, served, f"I think that {thing} was {word}" + " indeed" * round_)
                if answer.headers["x-sluice-cache"] == "label":
                    return answer
    raise AssertionError("400 asks of one class opened nothing")


async def told(client: httpx.AsyncClient, served: Served, body: Any, key: str = "acme-key") -> httpx.Response:
    return await client.post(
        served.base_url + "/feedback", json=body, headers={"authorization": f"Bearer {key}"}
    )  # fmt: skip


async def test_a_label_is_reused_once_it_is_proven_and_taken_back_on_feedback(served: Served) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        hit = await first_hit(client, served)
        assert hit.json()["choices"][0]["message"]["content"] == "positive"
        assert 0.4 < float(hit.headers["x-sluice-similarity"]) <= 1.0
        evidence = (await client.get(served.admin + "/-/evidence")).json()["policies"]["keep"]["label"]
        assert evidence["open"]
        assert evidence["bound"] <= 0.3
        (shown,) = (await client.get(served.admin + "/-/hits")).json()["hits"]
        assert shown["request"] == hit.headers["x-sluice-request"]
        assert shown["strategy"] == "label"
        assert shown["asked"] != shown["filled"]
        word = {"request": shown["request"], "correct": False}
        assert (await told(client, served, word, "beta-key")).json() == {"known": False}, "another tenant's word"
        assert (await told(client, served, word)).json() == {"known": True}
        assert (await told(client, served, word)).json() == {"known": False}, "a caller has one word"


@pytest.mark.parametrize("body", [{}, [], {"request": "r"}, {"request": 1, "correct": True}, {"correct": False}])
async def test_malformed_feedback_is_told_how_to_be_written(served: Served, body: Any) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await told(client, served, body)
    assert answer.status_code == 400
    assert "x-sluice-request" in answer.json()["error"]["message"]


async def test_feedback_needs_a_key(served: Served) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        assert (await told(client, served, {"request": "r", "correct": False}, "wrong")).status_code == 401
