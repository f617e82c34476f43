import asyncio

import httpx
import pytest

from doubles.behaviours import error, html, json_body, text
from doubles.scripted import Scripted
from sluice_cli.demo.replay import Outcome, ReplayError, Target, ask, replay
from sluice_cli.demo.setting import PROVIDERS
from sluice_cli.demo.workload import Step

FIRST = Step("parcel", "support", "Where is my parcel?", "first")
SECOND = Step("gift", "support", "Do you wrap gifts?", "first")


async def asked(target: Target, *, fresh: bool = False) -> Outcome:
    with httpx.Client(trust_env=False) as client:
        return await asyncio.to_thread(ask, client, target, FIRST, fresh=fresh)


async def test_steps_are_asked_in_order_and_each_is_told() -> None:
    told: list[str] = []
    async with Scripted() as up:
        up.answer(text("On its way."), text("Yes."))
        with httpx.Client(trust_env=False) as client:
            outcomes = await asyncio.to_thread(
                replay, client, Target(up.url, "auto"), [FIRST, SECOND], lambda done: told.append(done.step.key)
            )
    assert [outcome.answer.text for outcome in outcomes] == ["On its way.", "Yes."]
    assert told == ["parcel", "gift"]
    assert outcomes[0].seconds > 0
    assert (outcomes[0].cache, outcomes[0].backend, outcomes[0].similarity) == (None, None, None)


async def test_what_sluice_says_about_an_answer_is_kept() -> None:
    headers = {"x-sluice-cache": "paraphrase", "x-sluice-backend": "small", "x-sluice-similarity": "0.951"}
    async with Scripted() as up:
        up.answer(text("On its way.", headers=headers))
        outcome = await asked(Target(up.url, "auto"))
    assert (outcome.cache, outcome.backend, outcome.similarity) == ("paraphrase", "small", 0.951)


async def test_asking_again_neither_reads_nor_fills_the_cache() -> None:
    async with Scripted() as up:
        up.answer(text("On its way."))
        await asked(Target(up.url, "auto"), fresh=True)
        assert up.requests[0].headers["cache-control"] == "no-cache, no-store"


async def test_an_anthropic_provider_is_asked_in_its_own_dialect() -> None:
    answer = {"content": [{"type": "text", "text": "Hi."}], "usage": {"input_tokens": 9, "output_tokens": 2}}
    provider = PROVIDERS["anthropic"].target("key")
    async with Scripted() as up:
        up.answer(json_body(answer))
        outcome = await asked(Target(up.url, provider.model, provider.dialect, provider.headers))
        request = up.requests[0]
    assert request.path == "/v1/messages"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("key", "2023-06-01")
    assert outcome.answer.text == "Hi."


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [(error(503), "503"), (html(200), "something else"), (json_body({"choices": []}), "something else")],
)
async def test_what_is_no_answer_ends_the_replay_and_says_what_came(behaviour: object, told: str) -> None:
    async with Scripted() as up:
        up.otherwise(behaviour)  # type: ignore[arg-type]
        with pytest.raises(ReplayError, match=told):
            await asked(Target(up.url, "auto"))


async def test_a_server_that_is_not_there_is_named() -> None:
    async with Scripted() as up:
        url = up.url
    with pytest.raises(ReplayError, match=r"did not answer 'Where is my parcel\?': ConnectError"):
        await asked(Target(url, "auto"))
