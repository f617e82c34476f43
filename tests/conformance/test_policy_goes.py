"""A CachePolicy that is deleted while its answers are served: callers go on without a cache, and it may come back."""

from pathlib import Path

import httpx

from doubles import behaviours as do
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import Config, Paraphrase

ASKED, REWORDED = (f"How {verb} I buy a ferry ticket at the harbour?" for verb in ("do", "can"))


def with_policy(url: str) -> Config:
    kept = policy(paraphrase=Paraphrase(similarity=0.5))
    return config(route([backend(url)], policy="keep"), policies=[kept])


async def ask(served: Served, text: str) -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    async with httpx.AsyncClient() as client:
        answer = await client.post(served.base_url + "/chat/completions", json=body, timeout=60.0)
    assert answer.status_code == 200, answer.text
    return answer


async def test_it_goes_and_comes_back(up: Scripted, tmp_path: Path) -> None:
    up.otherwise(do.text("At the counter."))
    async with serving(with_policy(up.url), data=tmp_path) as served:
        await ask(served, ASKED)
        hit = await ask(served, REWORDED)
        assert hit.headers["x-sluice-cache"] == "paraphrase"

        await served.gateway.swap(config(route([backend(up.url)])))
        assert "x-sluice-cache" not in (await ask(served, REWORDED)).headers
        async with httpx.AsyncClient() as client:
            for path in ("/-/evidence", "/-/hits", "/metrics"):
                assert (await client.get(served.admin + path)).status_code == 200

        await served.gateway.swap(with_policy(up.url))
        assert (await ask(served, ASKED)).headers["x-sluice-cache"] == "identical"
        assert (await ask(served, REWORDED)).headers["x-sluice-cache"] == "paraphrase"


async def test_a_complaint_about_what_it_gave_still_counts(up: Scripted, tmp_path: Path) -> None:
    up.otherwise(do.text("At the counter."))
    async with serving(with_policy(up.url), data=tmp_path) as served:
        await ask(served, ASKED)
        hit = await ask(served, REWORDED)
        await served.gateway.swap(config(route([backend(up.url)])))
        word = {"request": hit.headers["x-sluice-request"], "correct": False}
        async with httpx.AsyncClient() as client:
            answer = await client.post(served.base_url + "/feedback", json=word)
        assert answer.json() == {"known": True}
        await served.gateway.swap(with_policy(up.url))
        assert (await ask(served, REWORDED)).headers["x-sluice-cache"] == "miss", "the complaint took the entry out"
