"""Each dialect refuses what the gateway could not rely on, names the field, and passes everything else unread."""

from typing import Any

import orjson
import pytest

from sluice_sidecar.ask import Problem
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = "/v1/chat/completions", "/v1/embeddings", "/v1/messages"
HELLO = [{"role": "user", "content": "Hello"}]


def test_a_plain_chat_request() -> None:
    body = {"model": "m", "messages": HELLO, "temperature": 0.3, "future_field": {"a": [1]}}
    raw = orjson.dumps(body)
    ask = BY_PATH[CHAT].parse(raw, body)
    assert (ask.raw, ask.body, ask.model, ask.text) == (raw, body, "m", "Hello")
    assert (ask.stream, ask.wants_usage, ask.wants_logprobs, ask.bypass) == (False, False, False, None)


def test_a_streamed_chat_request_that_wants_usage_and_logprobs() -> None:
    body = {
        "model": "m",
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
        "logprobs": True,
    }
    ask = BY_PATH[CHAT].parse(b"", body)
    assert (ask.stream, ask.wants_usage, ask.wants_logprobs) == (True, True, True)


def test_usage_of_a_call_that_does_not_stream_is_no_usage_chunk() -> None:
    body = {"model": "m", "messages": HELLO, "stream_options": {"include_usage": True}}
    assert BY_PATH[CHAT].parse(b"", body).wants_usage is False


def test_a_message_request_may_leave_out_max_tokens() -> None:
    ask = BY_PATH[MESSAGES].parse(b"", {"model": "claude", "messages": HELLO, "stream": True})
    assert (ask.model, ask.stream, ask.text) == ("claude", True, "Hello")


@pytest.mark.parametrize("given", ["a", "", ["a", "b"], [1, 2], [[1], [2]]])
def test_embedding_inputs(given: Any) -> None:
    ask = BY_PATH[EMBEDDINGS].parse(b"", {"model": "e", "input": given, "stream": True})
    assert (ask.model, ask.stream, ask.text) == ("e", False, None)


@pytest.mark.parametrize(
    "name", ["stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "temperature"]
)
def test_null_is_the_same_as_left_out(name: str) -> None:
    BY_PATH[CHAT].parse(b"", {"model": "m", "messages": HELLO, name: None})


@pytest.mark.parametrize("value", [0, 1, 2**70])
def test_max_tokens_may_be_any_natural_number(value: int) -> None:
    BY_PATH[CHAT].parse(b"", {"model": "m", "messages": HELLO, "max_tokens": value})


BAD_ANYWHERE: list[tuple[dict[str, Any], str, str]] = [
    ({"model": None}, "missing_required_parameter", "model"),
    ({"model": ""}, "empty_string", "model"),
    ({"model": 7}, "invalid_type", "model"),
]
BAD_WITH_MESSAGES: list[tuple[dict[str, Any], str, str]] = [
    *BAD_ANYWHERE,
    ({"messages": None}, "missing_required_parameter", "messages"),
    ({"messages": "Hello"}, "invalid_type", "messages"),
    ({"messages": {}}, "invalid_type", "messages"),
    ({"messages": []}, "empty_array", "messages"),
    ({"messages": ["Hello"]}, "invalid_type", "messages[0]"),
    ({"messages": [*HELLO, {"content": "x"}]}, "missing_required_parameter", "messages[1].role"),
    ({"messages": [{"role": 1}]}, "invalid_type", "messages[0].role"),
    ({"stream": "yes"}, "invalid_type", "stream"),
    ({"stream": 1}, "invalid_type", "stream"),
    ({"max_tokens": -1}, "integer_below_min_value", "max_tokens"),
    ({"max_tokens": "9"}, "invalid_type", "max_tokens"),
    ({"max_tokens": 1.5}, "invalid_type", "max_tokens"),
    ({"max_tokens": True}, "invalid_type", "max_tokens"),
]
BAD_CHAT: list[tuple[dict[str, Any], str, str]] = [
    *BAD_WITH_MESSAGES,
    ({"max_completion_tokens": -5}, "integer_below_min_value", "max_completion_tokens"),
    ({"n": 0}, "integer_below_min_value", "n"),
    ({"n": True}, "invalid_type", "n"),
    ({"stream_options": True}, "invalid_type", "stream_options"),
    ({"stream_options": []}, "invalid_type", "stream_options"),
]
BAD_EMBEDDINGS: list[tuple[dict[str, Any], str, str]] = [
    *BAD_ANYWHERE,
    ({"input": None}, "missing_required_parameter", "input"),
    ({"input": []}, "empty_array", "input"),
    ({"input": {"text": "a"}}, "invalid_type", "input"),
    ({"dimensions": 0}, "integer_below_min_value", "dimensions"),
]


@pytest.mark.parametrize(
    ("path", "change", "code", "param"),
    [
        *((CHAT, *case) for case in BAD_CHAT),
        *((MESSAGES, *case) for case in BAD_WITH_MESSAGES),
        *((EMBEDDINGS, *case) for case in BAD_EMBEDDINGS),
    ],
)
def test_a_bad_field_is_a_400_that_names_it(path: str, change: dict[str, Any], code: str, param: str) -> None:
    body = {"model": "m", "messages": HELLO, "input": "Hello", **change}
    with pytest.raises(Problem) as caught:
        BY_PATH[path].parse(orjson.dumps(body), body)
    problem = caught.value
    assert (problem.status, problem.code, problem.param) == (400, code, param)
    assert param in problem.message


@pytest.mark.parametrize("path", sorted(BY_PATH))
@pytest.mark.parametrize("body", [[], "text", None, 5])
def test_a_body_that_is_no_object(path: str, body: Any) -> None:
    with pytest.raises(Problem, match="must be a JSON object") as caught:
        BY_PATH[path].parse(orjson.dumps(body), body)
    assert caught.value.status == 400


@pytest.mark.parametrize("path", sorted(BY_PATH))
def test_the_registry_serves_each_dialect_where_its_path_says(path: str) -> None:
    assert path == "/v1" + BY_PATH[path].path
