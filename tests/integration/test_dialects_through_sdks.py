"""The official SDKs read what the dialects write: replayed streams, whole answers, errors of both kinds."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import orjson
import pytest
from openai.types.chat import ChatCompletionMessageParam

from doubles.behaviours import json_body, raw_body, stream_of
from doubles.scripted import Scripted
from sluice_sidecar.ask import Problem
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, MESSAGES = BY_PATH["/v1/chat/completions"], BY_PATH["/v1/messages"]
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
SAID = "Grüße aus Köln 😀, it is 21 °C. " * 5
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": SAID,
                "refusal": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Köln"}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
MESSAGE = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": SAID, "signature": "EqQB"},
        {"type": "text", "text": SAID},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Köln"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 5},
}


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


async def ask_claude(sdk: anthropic.AsyncAnthropic) -> anthropic.types.Message:
    return await sdk.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}])


async def test_a_replayed_completion(up: Scripted, client: openai.AsyncOpenAI) -> None:
    ask = CHAT.parse(b"", {**BODY, "stream_options": {"include_usage": True}})
    up.answer(stream_of(*CHAT.replay(ask, CHAT.renewed(COMPLETION))))
    async with client.chat.completions.stream(
        model="m", messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        found = (await stream.get_final_completion()).to_dict()
    expected = COMPLETION["choices"][0]["message"]  # type: ignore[index]
    message: Any = found["choices"][0]["message"]  # type: ignore[index]
    assert message["content"] == SAID
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == [
        call["function"]["arguments"] for call in expected["tool_calls"]
    ]
    assert found["usage"] == COMPLETION["usage"]


async def test_a_renewed_completion(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.answer(json_body(CHAT.renewed(COMPLETION)))
    found = await client.chat.completions.create(model="m", messages=HELLO)
    assert found.id != "chatcmpl-1"
    assert found.to_dict()["choices"] == COMPLETION["choices"]


async def test_a_replayed_message(up: Scripted, claude: anthropic.AsyncAnthropic) -> None:
    up.answer(stream_of(*MESSAGES.replay(MESSAGES.parse(b"", BODY), MESSAGE)))
    async with claude.messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
    ) as stream:
        found = (await stream.get_final_message()).to_dict()
    assert found["content"] == MESSAGE["content"]
    assert (found["stop_reason"], found["usage"]) == ("tool_use", MESSAGE["usage"])


async def test_a_renewed_message(up: Scripted, claude: anthropic.AsyncAnthropic) -> None:
    up.answer(json_body(MESSAGES.renewed(MESSAGE)))
    found = await ask_claude(claude)
    assert found.id.startswith("msg_")
    assert found.to_dict()["content"] == MESSAGE["content"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (502, openai.InternalServerError),
        (504, openai.InternalServerError),
    ],
)
async def test_openai_errors(
    up: Scripted, client: openai.AsyncOpenAI, status: int, kind: type[openai.APIStatusError]
) -> None:
    up.answer(raw_body(CHAT.error(Problem(status, "the_code", "What went wrong.", param="model")), status=status))
    with pytest.raises(kind, match=r"What went wrong\.") as caught:
        await client.chat.completions.create(model="m", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("the_code", "model")


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (413, anthropic.APIStatusError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (502, anthropic.InternalServerError, "api_error"),
        (503, anthropic.APIStatusError, "overloaded_error"),
        (504, anthropic.APIStatusError, "timeout_error"),
    ],
)
async def test_anthropic_errors(
    up: Scripted, claude: anthropic.AsyncAnthropic, status: int, kind: type[anthropic.APIStatusError], name: str
) -> None:
    up.answer(raw_body(MESSAGES.error(Problem(status, "the_code", "What went wrong.")), status=status))
    with pytest.raises(kind, match=r"What went wrong\.") as caught:
        await ask_claude(claude)
    assert caught.value.body == {"type": "error", "error": {"type": name, "message": "What went wrong."}}


async def test_an_openai_stream_that_breaks(up: Scripted, client: openai.AsyncOpenAI) -> None:
    first = CHAT.replay(CHAT.parse(b"", BODY), COMPLETION)[0]
    up.answer(stream_of(first, CHAT.error_frame(Problem(502, "upstream_reset", "The upstream left."))))
    stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError, match=r"The upstream left\."):
        _ = [chunk async for chunk in stream]


async def test_an_anthropic_stream_that_breaks(up: Scripted, claude: anthropic.AsyncAnthropic) -> None:
    first = MESSAGES.replay(MESSAGES.parse(b"", BODY), MESSAGE)[0]
    up.answer(stream_of(first, MESSAGES.error_frame(Problem(502, "upstream_reset", "The upstream left."))))
    with pytest.raises(anthropic.APIStatusError, match=r"The upstream left\."):
        async with claude.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
        ) as stream:
            await stream.get_final_message()


async def test_what_an_sdk_sends_is_parsed(up: Scripted, client: openai.AsyncOpenAI) -> None:
    up.answer(json_body(COMPLETION))
    await client.chat.completions.create(model="m", messages=HELLO, temperature=0.5, tools=openai.omit, n=1, user="eve")
    raw = up.requests[0].body
    ask = CHAT.parse(raw, orjson.loads(raw))
    assert (ask.model, ask.text, ask.bypass) == ("m", "Hello", None)
    assert CHAT.upstream(ask, model=None, stream=False, logprobs=False) is raw
