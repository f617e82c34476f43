"""The caller of a stream gets upstream's bytes, less what the gateway alone had asked for."""

from typing import Any

import orjson
import pytest

from sluice_sidecar.ask import Ask
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.upstream.sse import Event

CHAT, MESSAGES = BY_PATH["/v1/chat/completions"], BY_PATH["/v1/messages"]
USAGE = b'{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}'
TOKENS = [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]


def ask(*, usage: bool = False, logprobs: bool = False) -> Ask:
    body: dict[str, Any] = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    if usage:
        body["stream_options"] = {"include_usage": True}
    if logprobs:
        body["logprobs"] = True
    return CHAT.parse(b"", body)


def event(data: bytes | None, raw: bytes | None = None) -> Event:
    return Event(raw if raw is not None else b"data:  " + (data or b"") + b"\r\n\r\n", data)


def test_the_usage_chunk_is_for_who_asked() -> None:
    assert CHAT.relay(ask(usage=False), event(USAGE), logprobs=False) is None
    assert CHAT.relay(ask(usage=True), event(USAGE), logprobs=False) == event(USAGE).raw


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"[DONE]",
        b'{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}',
        b'{"choices":[{"index":0,"delta":{"content":"the \\"usage\\" of prompt_tokens\\""}}]}',
        b'{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"completion_tokens":1}}',
        b'{"choices":[],"usage":null,"completion_tokens":1}',
        b'{"choices":[],"prompt_filter_results":[]}',
        b'{"usage":{"prompt_tokens"',
        b'["prompt_tokens"]',
        b'{"error":{"message":"prompt_tokens"}}',
        b'{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":null}]}',
        b'{"choices":[{"index":0,"delta":{"content":"\\"logprobs\\""}}],"logprobs"',
    ],
)
@pytest.mark.parametrize("logprobs", [False, True])
def test_everything_else_passes_byte_by_byte(data: bytes | None, logprobs: bool) -> None:
    one = event(data)
    assert CHAT.relay(ask(), one, logprobs=logprobs) is one.raw


def test_logprobs_that_the_gateway_added_are_taken_out() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": TOKENS}}]}
    one = event(orjson.dumps(chunk))
    found = CHAT.relay(ask(), one, logprobs=True)
    assert found is not None
    assert found.startswith(b"data: ")
    assert found.endswith(b"\n\n")
    assert orjson.loads(found[6:]) == {
        "id": "c",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None}],
    }
    assert CHAT.relay(ask(logprobs=True), one, logprobs=False) is one.raw


def test_message_events_pass_as_they_are() -> None:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    one = event(b'{"type":"message_delta","usage":{"output_tokens":9}}')
    assert MESSAGES.relay(MESSAGES.parse(b"", body), one, logprobs=False) is one.raw


def test_a_whole_answer_loses_added_logprobs_alone() -> None:
    whole = {"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}, "logprobs": {"content": TOKENS}}]}
    trimmed = CHAT.trim(ask(), whole, logprobs=True)
    assert trimmed == {"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}, "logprobs": None}]}
    assert whole["choices"][0]["logprobs"] == {"content": TOKENS}, "the original was changed"  # type: ignore[index]
    assert CHAT.trim(ask(), whole, logprobs=False) is whole


@pytest.mark.parametrize("path", sorted(BY_PATH))
def test_an_answer_without_logprobs_is_not_copied(path: str) -> None:
    whole = {"choices": [{"index": 0, "message": {"content": "Hi"}, "logprobs": None}]}
    assert BY_PATH[path].trim(ask(), whole, logprobs=True) is whole
