"""A gateway rewrites prompts before anything else looks at them, keeps a budget, and lists what it saw."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from doubles import behaviours
from doubles.scripted import Request, Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.audit.model import digest
from sluice_sidecar.config import AuditSampling, Edit, PromptRules, Rewrite

PROMPT = "You are a very very helpful assistant of the shop. Answer in one sentence."
SHORT = Rewrite(name="short", section=digest(PROMPT), edits=(Edit(find="very very ", replace=""),))
CLIENT = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
"""Keeps no connection, so that it belongs to no test's event loop."""


async def ask(served: Served, prompt: str = PROMPT, text: str = "Hi", **more: Any) -> httpx.Response:
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
    return await CLIENT.post(
        served.base_url + "/chat/completions", json={"model": "auto", "messages": messages, **more}
    )


async def message(served: Served, prompt: str = PROMPT) -> httpx.Response:
    body = {"model": "auto", "max_tokens": 5, "system": prompt, "messages": [{"role": "user", "content": "Hi"}]}
    return await CLIENT.post(served.base_url + "/messages", json=body)


async def listed(served: Served) -> Any:
    desk = served.gateway._desk
    assert desk is not None
    await desk.look(write=True)
    return (await CLIENT.get(served.admin + "/-/prompts")).json()


async def metrics(served: Served) -> str:
    return (await CLIENT.get(served.admin + "/metrics")).text


def asked(upstream: Scripted) -> list[Request]:
    """What callers asked; the gateway itself asks for counts of tokens."""
    return [request for request in upstream.requests if not request.path.endswith("/tokenize")]


async def test_the_upstream_gets_the_shorter_wording_and_the_caller_is_told() -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        rules = PromptRules(rewrites=(SHORT,))
        async with serving(config(route([backend(upstream.url)], prompt=rules))) as served:
            answers = [await ask(served), await message(served), await ask(served, stream=True)]
            other = await ask(served, PROMPT + " ")
            assert 'sluice_prompt_requests_total{result="rewritten",route="main"} 3.0' in await metrics(served)
    assert [answer.headers.get("x-sluice-prompt") for answer in (*answers, other)] == ["short"] * 3 + [None]
    sent = [_prompt(request) for request in asked(upstream)]
    assert sent == [PROMPT.replace("very very ", "")] * 3 + [PROMPT + " "]


def _prompt(request: Request) -> str:
    body = request.json
    return str(body["system"] if "system" in body else body["messages"][0]["content"])


async def test_answers_of_the_two_wordings_are_kept_apart() -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        kept = policy()
        before = config(route([backend(upstream.url)], policy="keep"), policies=[kept])
        after = config(
            route([backend(upstream.url)], policy="keep", prompt=PromptRules(rewrites=(SHORT,))), policies=[kept]
        )
        async with serving(before) as served:
            kinds = [(await ask(served)).headers["x-sluice-cache"] for _ in range(2)]
            await served.gateway.swap(after)
            kinds += [(await ask(served)).headers["x-sluice-cache"] for _ in range(2)]
            # What the application sends in the shorter wording itself is the very same request.
            kinds.append((await ask(served, PROMPT.replace("very very ", ""))).headers["x-sluice-cache"])
    assert kinds == ["miss", "identical", "miss", "identical", "identical"]


@pytest.mark.parametrize("send", [ask, message])
async def test_a_prompt_beyond_a_budget_that_rejects_is_refused_in_the_dialects_shape(send: Any) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        rules = PromptRules(max_tokens=30, on_exceed="Reject")
        async with serving(config(route([backend(upstream.url)], prompt=rules))) as served:
            fine, refused = await send(served), await send(served, PROMPT * 3)
            assert 'sluice_prompt_requests_total{result="rejected",route="main"} 1.0' in await metrics(served)
    assert (fine.status_code, refused.status_code) == (200, 400)
    assert "about 56 tokens; this route takes up to 30" in refused.json()["error"]["message"]
    assert len(asked(upstream)) == 1
    if send is ask:
        assert refused.json()["error"]["code"] == "prompt_too_long"


async def test_a_prompt_beyond_a_budget_that_warns_is_answered_and_told() -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        rules = PromptRules(max_tokens=10)
        async with serving(config(route([backend(upstream.url)], prompt=rules))) as served:
            answer = await ask(served)
    assert (answer.status_code, answer.headers["x-sluice-prompt-tokens"]) == (200, "19")


async def test_what_was_seen_is_listed_and_outlives_the_process(tmp_path: Any) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        given = config(route([backend(upstream.url)], audit=AuditSampling()))
        async with serving(given, data=tmp_path) as served:
            for text in ("one", "two", "three"):
                await ask(served, text=text)
            (first,) = (await listed(served))["prompts"]
        async with serving(given, data=tmp_path) as served:
            await ask(served)
            (after,) = (await listed(served))["prompts"]
    assert (first["route"], first["requests"], after["requests"]) == ("main", 3, 4)
    assert first["tokens"] == {"mean": 19.0, "p50": 19, "p95": 19, "estimated": True}
    assert 0 < first["share_of_spend"] < 1
    assert [one["digest"] for one in first["prompts"]] == [digest(PROMPT)]


async def test_a_rewrite_that_does_harm_is_stopped_for_good(tmp_path: Any) -> None:
    def behave(request: Request) -> Any:
        if request.path.endswith("/tokenize"):
            return behaviours.error(404)
        return behaviours.text("Hel", finish="length" if "very" not in _prompt(request) else "stop")

    async with Scripted() as upstream:
        upstream.otherwise(behaviours.chosen(behave))
        half = SHORT.model_copy(update={"percent": 50.0})
        given = config(route([backend(upstream.url)], prompt=PromptRules(rewrites=(half,))))
        async with serving(given, data=tmp_path) as served:
            for n in range(60):
                await ask(served, text=f"Question {n}")
            (told,) = (await listed(served))["rewrites"]
            assert 'sluice_prompt_rewrite_stopped{rewrite="short",route="main"} 1.0' in await metrics(served)
        async with serving(given, data=tmp_path) as served:
            answers = [await ask(served, text=f"Question {n}") for n in range(20)]
    assert told["stopped"] is not None
    assert (told["with"]["wrong"], told["without"]["wrong"]) == (told["with"]["answers"], 0)
    assert {answer.headers.get("x-sluice-prompt") for answer in answers} == {None}


async def test_a_rewrite_that_does_none_goes_on() -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Hello"))
        half = SHORT.model_copy(update={"percent": 50.0})
        async with serving(config(route([backend(upstream.url)], prompt=PromptRules(rewrites=(half,))))) as served:
            for n in range(60):
                await ask(served, text=f"Question {n}")
            (told,) = (await listed(served))["rewrites"]
    assert told["stopped"] is None
    assert told["pairs"] > 10


def test_a_gateway_without_rules_never_loads_them() -> None:
    code = (
        "import sys, sluice_sidecar.app; sys.exit(any(name.startswith('sluice_sidecar.audit') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
