"""The official anthropic SDK, unchanged, against the gateway."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic

from doubles import behaviours as do
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving

ASK: Any = [{"role": "user", "content": "Say hello."}]
WEATHER: Any = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    async with serving(config(route([backend(up.url, model="claude-x")]))) as one:
        yield one


@pytest.fixture
async def client(served: Served) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=served.url, api_key="any", max_retries=0) as one:
        yield one


async def test_completes(up: Scripted, client: AsyncAnthropic) -> None:
    up.answer(do.text("Hello from upstream."))
    answer = await client.messages.create(model="auto", max_tokens=64, messages=ASK)
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Hello from upstream."
    assert answer.stop_reason == "end_turn"
    assert up.requests[0].json["model"] == "claude-x"
    assert up.requests[0].path == "/v1/messages"


async def test_streams(up: Scripted, client: AsyncAnthropic) -> None:
    up.answer(do.text(["Hel", "lo ", "wörld"], cut=1))
    async with client.messages.stream(model="auto", max_tokens=64, messages=ASK) as stream:
        said = [text async for text in stream.text_stream]
        final = await stream.get_final_message()
    assert "".join(said) == "Hello wörld"
    assert final.usage.output_tokens == 7


async def test_calls_tools(up: Scripted, client: AsyncAnthropic) -> None:
    up.answer(do.tool_call("get_weather", '{"city":"Paris"}'), do.tool_call("get_weather", '{"city":"Oslo"}'))
    answer: Any = await client.messages.create(model="auto", max_tokens=64, messages=ASK, tools=[WEATHER])
    assert answer.content[-1].input == {"city": "Paris"}
    async with client.messages.stream(model="auto", max_tokens=64, messages=ASK, tools=[WEATHER]) as stream:
        final = await stream.get_final_message()
    assert final.content[-1].type == "tool_use"
    assert final.content[-1].input == {"city": "Oslo"}
    assert final.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ],
)
async def test_raises_the_provider_s_own_errors(
    up: Scripted, client: AsyncAnthropic, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    up.otherwise(do.error(status, "upstream's own words"))
    with pytest.raises(kind, match="upstream's own words"):
        await client.messages.create(model="auto", max_tokens=64, messages=ASK)


async def test_tells_our_own_errors_in_its_shape(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="Did you mean auto"):
        await client.messages.create(model="autos", max_tokens=64, messages=ASK)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        await client.messages.create(model="auto", max_tokens=-1, messages=ASK)


async def test_tells_a_stream_that_breaks_inside(up: Scripted, client: AsyncAnthropic) -> None:
    up.answer(do.half_event())
    async with client.messages.stream(model="auto", max_tokens=64, messages=ASK) as stream:
        with pytest.raises(anthropic.APIError):
            await stream.until_done()


async def test_lists_models(client: AsyncAnthropic) -> None:
    assert [model.id async for model in client.models.list()] == ["auto"]


async def test_replays_a_stored_answer_as_a_stream(up: Scripted) -> None:
    up.answer(do.text("Hello from upstream."))
    kept = config(route([backend(up.url)], policy="keep"), policies=[policy()])
    async with serving(kept) as served, AsyncAnthropic(base_url=served.url, api_key="any", max_retries=0) as client:
        first = await client.messages.create(model="auto", max_tokens=64, messages=ASK)
        async with client.messages.stream(model="auto", max_tokens=64, messages=ASK) as stream:
            second = await stream.get_final_message()
    assert [part.to_dict()["text"] for part in second.content] == [part.to_dict()["text"] for part in first.content]
    assert second.id != first.id
    assert up.count == 1


async def test_serves_the_sync_client(up: Scripted, served: Served) -> None:
    up.answer(do.text("Hello."))

    def ask() -> str:
        client = Anthropic(base_url=served.url, api_key="any", max_retries=0)
        with client, client.messages.stream(model="auto", max_tokens=64, messages=ASK) as stream:
            return stream.get_final_text()

    assert await asyncio.to_thread(ask) == "Hello."
