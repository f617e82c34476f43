"""The scripted model server behaves like a provider, and misbehaves as it is told to."""

import asyncio
from collections.abc import AsyncIterator

import anthropic
import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from doubles import behaviours as b
from doubles.running import PATIENCE
from doubles.scripted import Gate, Scripted

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
STREAM = {**BODY, "stream": True}


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        yield scripted


@pytest.fixture
async def client(up: Scripted) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=up.url, api_key="sk", max_retries=0) as sdk:
        yield sdk


@pytest.fixture
async def claude(up: Scripted) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=up.origin, api_key="sk", max_retries=0) as sdk:
        yield sdk


@pytest.fixture
async def http(up: Scripted) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=up.url, timeout=PATIENCE) as plain:
        yield plain


async def test_requests_are_recorded_and_answered_in_order(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.answer(b.text("one"), b.text("two")).otherwise(b.text("rest"))
    said = [
        (await client.chat.completions.create(model="m", messages=HELLO)).choices[0].message.content for _ in "1234"
    ]
    assert said == ["one", "two", "rest", "rest"]
    assert up.count == 4
    assert up.requests[0].path == "/v1/chat/completions"
    assert up.requests[0].headers["authorization"] == "Bearer sk"
    assert up.requests[0].json == {"messages": HELLO, "model": "m"}
    assert {request.connection for request in up.requests} == {0}, "keep-alive"


async def test_an_openai_stream_has_usage_only_when_asked_for(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.otherwise(b.text(["Hel", "lo"], usage=(20, 5, 2)))
    plain = [chunk async for chunk in await client.chat.completions.create(model="m", messages=HELLO, stream=True)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in plain) == "Hello"
    assert all(chunk.usage is None for chunk in plain)
    stream = await client.chat.completions.create(
        model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    last = [chunk async for chunk in stream][-1]
    assert last.usage is not None
    assert last.usage.prompt_tokens_details is not None
    assert not last.choices
    assert (last.usage.prompt_tokens, last.usage.prompt_tokens_details.cached_tokens) == (20, 5)


async def test_logprobs_when_asked_for(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.otherwise(b.text(["Hel", "lo"], logprobs=[-0.1, -0.2]))
    bare = await client.chat.completions.create(model="m", messages=HELLO)
    assert bare.choices[0].logprobs is None
    asked = await client.chat.completions.create(model="m", messages=HELLO, logprobs=True)
    assert asked.choices[0].logprobs is not None
    assert [token.logprob for token in asked.choices[0].logprobs.content or ()] == [-0.1, -0.2]


async def test_an_openai_tool_call(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.otherwise(b.tool_call("weather", '{"city":"Köln"}'))
    async with client.chat.completions.stream(model="m", messages=HELLO) as stream:
        completion = await stream.get_final_completion()
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    (call,) = calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Köln"}')


async def test_embeddings(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.otherwise(b.embeddings(3))
    found = await client.embeddings.create(model="e", input=["a", "b", "a"], encoding_format="float")
    assert [len(row.embedding) for row in found.data] == [3, 3, 3]
    assert found.data[0].embedding == found.data[2].embedding != found.data[1].embedding


async def test_anthropic_messages_and_tools(up: Scripted, claude: anthropic.AsyncAnthropic) -> None:
    up.answer(b.text("Hi there"), b.text("Hi there"), b.tool_call("weather", '{"city":"Köln"}'))
    whole = await claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])
    assert whole.stop_reason == "end_turn"
    for expected in (["text"], ["tool_use"]):
        async with claude.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
        ) as stream:
            message = await stream.get_final_message()
        assert [block.type for block in message.content] == expected
        assert message.usage.output_tokens == 7
    assert up.requests[0].path == "/v1/messages"


@pytest.mark.parametrize("cut", [1, 7])
async def test_a_stream_may_be_cut_inside_characters(up: Scripted, client: openai.AsyncOpenAI, cut: int) -> None:
    up.otherwise(b.text("Grüße 😀 aus Köln", cut=cut))
    stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Grüße 😀 aus Köln"


async def test_a_gate_holds_the_next_piece(up: Scripted, client: openai.AsyncOpenAI) -> None:
    gate = Gate()
    up.otherwise(b.text(["a", "b", "c"], gate=gate))
    said = []
    async for chunk in await client.chat.completions.create(model="m", messages=HELLO, stream=True):
        if chunk.choices[0].delta.content:
            said.append(chunk.choices[0].delta.content)
            assert not up.requests[0].answered.is_set()
            gate.step()
    assert said == ["a", "b", "c"]
    await up.requests[0].answered.wait()


async def test_errors_with_headers(up: Scripted, client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    up.otherwise(b.error(429, "slow down", headers={"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError, match="slow down") as caught:
        await client.chat.completions.create(model="m", messages=HELLO)
    assert caught.value.response.headers["retry-after"] == "7"
    with pytest.raises(anthropic.RateLimitError, match="slow down"):
        await claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])


async def test_bad_bodies(up: Scripted, http: httpx.AsyncClient) -> None:
    up.answer(b.html(), b.error_inside(), b.error_inside(), b.invalid_json(), b.invalid_json(), b.json_body([1]))
    page = await http.post("/chat/completions", json=BODY)
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html")
    inside = await http.post("/chat/completions", json=BODY)
    assert (inside.status_code, inside.json()["error"]["message"]) == (200, "model overloaded")
    streamed = await http.post("/messages", json=STREAM)
    assert "event: error\ndata: " in streamed.text
    whole = await http.post("/chat/completions", json=BODY)
    with pytest.raises(ValueError, match="Unterminated"):
        whole.json()
    assert (await http.post("/chat/completions", json=STREAM)).text.count("data: ") == 1
    assert (await http.post("/chat/completions", json=BODY)).json() == [1]


async def test_half_an_event(up: Scripted, http: httpx.AsyncClient) -> None:
    up.answer(b.half_event(), b.half_event(clean=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/chat/completions", json=STREAM)
    assert not (await http.post("/chat/completions", json=STREAM)).text.endswith("\n\n")


async def test_resets(up: Scripted, http: httpx.AsyncClient) -> None:
    gate = Gate()
    up.answer(b.reset(), b.reset("head"), b.reset("piece", gate=gate))
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            await http.post("/chat/completions", json=STREAM)
    async with http.stream("POST", "/chat/completions", json=STREAM) as response:
        chunks = response.aiter_bytes()
        assert b"Hello" in await anext(chunks)
        gate.open()
        with pytest.raises(httpx.ReadError):
            await anext(chunks)


@pytest.mark.parametrize("after", ["request", "head", "piece"])
async def test_a_caller_that_leaves_a_stall_is_noticed(up: Scripted, http: httpx.AsyncClient, after: str) -> None:
    up.otherwise(b.stall(after=after))
    call = asyncio.create_task(http.post("/chat/completions", json=STREAM))
    request = await up.arrived(1)
    assert not request.gone.is_set()
    call.cancel()
    await request.gone.wait()
    assert not up.live
    assert not request.answered.is_set()


async def test_a_stall_ends_when_it_is_released(up: Scripted, http: httpx.AsyncClient) -> None:
    gate = Gate()
    up.otherwise(b.stall(gate, then=b.text("late")))
    call = asyncio.create_task(http.post("/chat/completions", json=BODY))
    await up.arrived(1)
    gate.open()
    assert "late" in (await call).text


async def test_an_endless_stream_ends_with_its_reader(up: Scripted, http: httpx.AsyncClient) -> None:
    up.otherwise(b.endless())
    async with http.stream("POST", "/chat/completions", json=STREAM) as response:
        got = 0
        async for chunk in response.aiter_bytes():
            got += len(chunk)
            if got > 100_000:
                break
    await up.requests[0].gone.wait()


async def test_a_behaviour_by_request_and_raw_parts(up: Scripted, http: httpx.AsyncClient) -> None:
    up.otherwise(b.chosen(lambda request: b.stream_of(b"data: a\n\n", b": hi\n\n") if request.streams else b.text("b")))
    assert (await http.post("/chat/completions", json=STREAM)).content == b"data: a\n\n: hi\n\n"
    assert "b" in (await http.post("/chat/completions", json=BODY)).text


async def test_an_empty_script_says_so(up: Scripted, http: httpx.AsyncClient) -> None:
    response = await http.post("/chat/completions", content=iter_body())
    assert response.status_code == 500
    assert "no answer left" in response.text
    assert up.requests[0].body == b'{"model":"m"}', "a chunked body is read"


async def iter_body() -> AsyncIterator[bytes]:
    yield b'{"model"'
    yield b':"m"}'


async def break_a_behaviour() -> None:
    async with Scripted() as up, httpx.AsyncClient(timeout=PATIENCE) as http:
        up.otherwise(b.chosen(lambda request: b.text("x" * (1 // 0))))
        with pytest.raises(httpx.TransportError):
            await http.post(up.url, json=BODY)


async def test_a_broken_behaviour_fails_the_test() -> None:
    with pytest.raises(ZeroDivisionError):
        await break_a_behaviour()
