"""The official openai SDK, unchanged, against the gateway."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from doubles import behaviours as do
from doubles.scripted import Gate, Scripted
from doubles.serve import Served, backend, config, route, serving

ASK: Any = [{"role": "user", "content": "Say hello."}]
WEATHER: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    async with serving(config(route([backend(up.url, model="house-model")]))) as one:
        yield one


@pytest.fixture
async def client(served: Served) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=served.base_url, api_key="any", max_retries=0) as one:
        yield one


async def test_completes(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.text("Hello from upstream."))
    answer = await client.chat.completions.create(model="auto", messages=ASK)
    assert answer.choices[0].message.content == "Hello from upstream."
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7
    assert up.requests[0].json["model"] == "house-model"


async def test_streams_every_piece_as_it_comes(up: Scripted, client: AsyncOpenAI) -> None:
    gate = Gate()
    up.answer(do.text(["Hel", "lo ", "wörld"], gate=gate))
    stream = await client.chat.completions.create(model="auto", messages=ASK, stream=True)
    said: list[str] = []
    async for chunk in stream:
        assert chunk.choices, "a usage chunk that nobody asked for"
        if chunk.choices[0].delta.content:
            said.append(chunk.choices[0].delta.content)
            gate.step()  # the next piece is only sent once this one has arrived
        if len(said) == 3:
            gate.open()
    assert said == ["Hel", "lo ", "wörld"]


async def test_sends_usage_last_when_asked(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.text("Hi there", usage=(9, 4, 2)))
    stream = await client.chat.completions.create(
        model="auto",
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == 9


async def test_calls_tools(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.tool_call("get_weather", '{"city":"Paris"}'), do.tool_call("get_weather", '{"city":"Oslo"}'))
    answer: Any = await client.chat.completions.create(model="auto", messages=ASK, tools=[WEATHER])
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"city":"Paris"}'
    async with client.chat.completions.stream(model="auto", messages=ASK, tools=[WEATHER]) as stream:
        final = await stream.get_final_completion()
    calls: Any = final.choices[0].message.tool_calls
    assert calls[0].function.arguments == '{"city":"Oslo"}'


class City(BaseModel):
    city: str
    year: int


async def test_parses_structured_output(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.text('{"city": "Paris", "year": 2024}'))
    answer = await client.chat.completions.parse(model="auto", messages=ASK, response_format=City)
    assert answer.choices[0].message.parsed == City(city="Paris", year=2024)
    assert up.requests[0].json["response_format"]["json_schema"]["strict"] is True


async def test_passes_logprobs(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.text(["Yes", "."], logprobs=[-0.1, -0.2]))
    answer = await client.chat.completions.create(model="auto", messages=ASK, logprobs=True, top_logprobs=1)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert [token.logprob for token in logprobs.content] == [-0.1, -0.2]


async def test_embeds(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.embeddings(4))
    found = await client.embeddings.create(model="auto", input=["one", "two"], encoding_format="float")
    assert len(found.data) == 2
    assert len(found.data[0].embedding) == 4


async def test_lists_models(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["auto"]
    assert (await client.models.retrieve("auto")).id == "auto"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_raises_the_provider_s_own_errors(
    up: Scripted, client: AsyncOpenAI, status: int, kind: type[openai.APIStatusError]
) -> None:
    up.otherwise(do.error(status, "upstream's own words"))
    with pytest.raises(kind) as raised:
        await client.chat.completions.create(model="auto", messages=ASK)
    assert raised.value.status_code == status
    assert "upstream's own words" in raised.value.message


async def test_tells_an_unknown_model_and_the_nearest(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Did you mean auto"):
        await client.chat.completions.create(model="autos", messages=ASK)


async def test_tells_a_stream_that_breaks_inside(up: Scripted, client: AsyncOpenAI) -> None:
    up.answer(do.half_event())
    stream = await client.chat.completions.create(model="auto", messages=ASK, stream=True)
    pieces = aiter(stream)
    assert (await anext(pieces)).choices[0].delta.role == "assistant"
    with pytest.raises(openai.APIError):
        await anext(pieces)


async def test_serves_the_sync_client(up: Scripted, served: Served) -> None:
    up.answer(do.text("Hello."), do.text("Hello again."))

    def ask() -> tuple[str | None, str]:
        with OpenAI(base_url=served.base_url, api_key="any", max_retries=0) as client:
            whole = client.chat.completions.create(model="auto", messages=ASK)
            stream = client.chat.completions.create(model="auto", messages=ASK, stream=True)
            return whole.choices[0].message.content, "".join(c.choices[0].delta.content or "" for c in stream)

    assert await asyncio.to_thread(ask) == ("Hello.", "Hello again.")
