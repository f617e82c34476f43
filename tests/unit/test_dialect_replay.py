"""A whole answer is shown as the provider would have streamed it; the providers' own types take every frame."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from sluice_sidecar.ask import Ask
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = (BY_PATH[p] for p in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"))
LONG = "Grüße aus Köln 😀. " * 20
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def ask(usage: bool = True) -> Ask:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    return CHAT.parse(b"", {**body, "stream_options": {"include_usage": usage}})


def completion(message: dict[str, Any], finish: str = "stop", **fields: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": finish}
        ],
        "usage": USAGE,
        "system_fingerprint": "fp",
        **fields,
    }


def chunks(frames: Sequence[bytes]) -> list[dict[str, Any]]:
    *data, done = frames
    assert done == b"data: [DONE]\n\n"
    assert all(frame.startswith(b"data: ") and frame.endswith(b"\n\n") and frame.count(b"\n") == 2 for frame in data)
    found = [orjson.loads(frame[6:]) for frame in data]
    for one in found:
        ChatCompletionChunk.model_validate(one, strict=True)
    return found


def deltas(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in found if chunk["choices"]]


def test_a_text_in_pieces() -> None:
    found = chunks(CHAT.replay(ask(), completion({"content": LONG, "refusal": None})))
    first, *pieces, last = deltas(found)
    assert first == {"role": "assistant", "content": "", "refusal": None}
    assert 2 <= len(pieces) <= 8
    assert "".join(piece["content"] for piece in pieces) == LONG
    assert last == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in found[:-1]] == [*[None] * (len(found) - 2), "stop"]
    assert {(chunk["id"], chunk["created"], chunk["model"], chunk["system_fingerprint"]) for chunk in found} == {
        ("chatcmpl-1", 5, "m", "fp")
    }


def test_the_usage_chunk_comes_last_and_only_when_asked_for() -> None:
    wanted = chunks(CHAT.replay(ask(usage=True), completion({"content": "Hi"})))
    assert wanted[-1]["choices"] == []
    assert wanted[-1]["usage"] == USAGE
    assert all(chunk["usage"] is None for chunk in wanted[:-1])
    unwanted = chunks(CHAT.replay(ask(usage=False), completion({"content": "Hi"})))
    assert all("usage" not in chunk and chunk["choices"] for chunk in unwanted)


def test_an_answer_without_usage_has_no_usage_chunk() -> None:
    whole = completion({"content": "Hi"})
    del whole["usage"]
    assert all(chunk["choices"] for chunk in chunks(CHAT.replay(ask(usage=True), whole)))


def test_a_tool_call_names_itself_first_and_argues_in_pieces() -> None:
    arguments = orjson.dumps({"text": LONG}).decode()
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    found = deltas(chunks(CHAT.replay(ask(), completion({"content": None, "tool_calls": [call]}, "tool_calls"))))
    assert found[0] == {"role": "assistant", "content": None}
    (opening,) = found[1]["tool_calls"]
    assert opening == {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    rest = [part["tool_calls"][0] for part in found[2:-1]]
    assert "".join(part["function"]["arguments"] for part in rest) == arguments
    assert {frozenset(part) for part in rest} == {frozenset({"index", "function"})}


def test_logprobs_come_with_the_text_that_they_spell() -> None:
    words = [f"word{at} " for at in range(40)]
    tokens: list[dict[str, Any]] = [
        {"token": word, "logprob": -0.5, "bytes": None, "top_logprobs": []} for word in words
    ]
    whole = completion({"content": "".join(words)})
    whole["choices"][0]["logprobs"] = {"content": tokens, "refusal": None}
    found = chunks(CHAT.replay(ask(), whole))
    spelled = [chunk["choices"][0] for chunk in found if chunk["choices"] and chunk["choices"][0]["logprobs"]]
    assert len(spelled) > 1
    for choice in spelled:
        assert "".join(token["token"] for token in choice["logprobs"]["content"]) == choice["delta"]["content"]


def test_fields_nobody_knows_come_along() -> None:
    message = {"content": "Hi", "reasoning_content": "I think", "annotations": [{"type": "x"}]}
    found = chunks(CHAT.replay(ask(), completion(message, timings={"prompt_ms": 1})))
    assert {"reasoning_content": "I think"} in deltas(found)
    assert {"annotations": [{"type": "x"}]} in deltas(found)
    assert found[-1]["timings"] == {"prompt_ms": 1}


EVENTS: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)


def events(whole: dict[str, Any]) -> list[dict[str, Any]]:
    asked = MESSAGES.parse(b"", {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})
    found = []
    for frame in MESSAGES.replay(asked, whole):
        name, data, *rest = frame.split(b"\n")
        assert rest == [b"", b""]
        one = orjson.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + one["type"].encode()
        if one["type"] != "ping":
            EVENTS.validate_python(one, strict=True)
        found.append(one)
    return found


def test_a_message_is_the_full_sequence_of_events() -> None:
    whole = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": LONG, "signature": "EqQB"},
            {"type": "text", "text": LONG, "citations": None},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"text": LONG}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    found = events(whole)
    order = [one["type"] for one in found]
    assert order[:2] == ["message_start", "ping"]
    assert order[-2:] == ["message_delta", "message_stop"]
    assert [one["index"] for one in found if one["type"] == "content_block_start"] == [0, 1, 2]
    assert [one["index"] for one in found if one["type"] == "content_block_stop"] == [0, 1, 2]
    start = found[0]["message"]
    assert (start["content"], start["stop_reason"], start["usage"]["input_tokens"]) == ([], None, 10)
    assert found[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert found[-2]["usage"] == {"output_tokens": 5}
    kinds = {one["delta"]["type"] for one in found if one["type"] == "content_block_delta"}
    assert kinds == {"thinking_delta", "signature_delta", "text_delta", "input_json_delta"}


def test_embeddings_do_not_stream() -> None:
    asked = EMBEDDINGS.parse(b"", {"model": "e", "input": "a"})
    assert not EMBEDDINGS.streams
    with pytest.raises(TypeError, match="do not stream"):
        EMBEDDINGS.replay(asked, {"data": []})
    with pytest.raises(TypeError, match="do not stream"):
        EMBEDDINGS.assembler()
