"""What the gateway reads from an answer: tokens, why it ended, its text, its log-probs, an error inside."""

from typing import Any

import orjson
import pytest

from sluice_sidecar.ask import Usage
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.upstream.sse import Event

CHAT, EMBEDDINGS, MESSAGES = (BY_PATH[p] for p in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"))


def completion(reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}]}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, Usage(9, 0, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(9, 8, 4)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 80}}, Usage(9, 9, 0)),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9, 0, 0)),
        ({"prompt_tokens": -1, "completion_tokens": "4"}, Usage(0, 0, 0)),
        ({"prompt_tokens": None, "completion_tokens": True}, Usage(0, 0, 0)),
        (None, None),
        ("many", None),
    ],
)
def test_openai_usage(usage: Any, expected: Usage | None) -> None:
    assert CHAT.usage({"usage": usage}) == expected
    assert EMBEDDINGS.usage({"usage": usage}) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 0, 5)),
        (
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 20,
                "output_tokens": 5,
            },
            Usage(130, 100, 5),
        ),
        ({"input_tokens": 10, "cache_read_input_tokens": None}, Usage(10, 0, 0)),
        (None, None),
    ],
)
def test_anthropic_usage(usage: Any, expected: Usage | None) -> None:
    assert MESSAGES.usage({"usage": usage}) == expected


def test_usage_that_is_not_there() -> None:
    assert [dialect.usage({}) for dialect in (CHAT, MESSAGES, EMBEDDINGS)] == [None, None, None]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "complete"),
        ("length", "truncated"),
        ("max_tokens", "truncated"),
        ("content_filter", "filtered"),
        ("tool_calls", "tools"),
        ("function_call", "tools"),
        ("abort", "unknown"),
        (None, "unknown"),
    ],
)
def test_why_a_completion_ended(reason: str | None, finish: str) -> None:
    assert CHAT.finish(completion(reason, content="a")) == finish


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        ({"content": None, "refusal": "I won't"}, "filtered"),
        ({"content": "", "tool_calls": [{"id": "a"}]}, "tools"),
        ({"content": None, "function_call": {"name": "f"}}, "tools"),
        ({"content": "a", "refusal": None, "tool_calls": []}, "complete"),
    ],
)
def test_a_message_can_say_more_than_stop(message: dict[str, Any], finish: str) -> None:
    assert CHAT.finish(completion("stop", **message)) == finish


@pytest.mark.parametrize(
    ("reasons", "finish"),
    [
        (["stop", "length"], "truncated"),
        (["stop", "content_filter", "length"], "filtered"),
        (["stop", None], "unknown"),
        (["stop", "tool_calls"], "tools"),
        (["stop", "stop"], "complete"),
        ([], "unknown"),
    ],
)
def test_of_several_choices_the_worst_counts(reasons: list[str | None], finish: str) -> None:
    whole = {"choices": [choice for reason in reasons for choice in completion(reason, content="a")["choices"]]}
    assert CHAT.finish(whole) == finish


@pytest.mark.parametrize("whole", [{}, {"choices": None}, {"choices": [5]}, {"choices": [{"finish_reason": 7}]}])
def test_a_strange_completion_is_unknown(whole: dict[str, Any]) -> None:
    assert (CHAT.finish(whole), CHAT.answer_text(whole), CHAT.token_logprobs(whole)) == ("unknown", "", None)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "complete"),
        ("stop_sequence", "complete"),
        ("max_tokens", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("tool_use", "tools"),
        ("refusal", "filtered"),
        ("pause_turn", "unknown"),
        (None, "unknown"),
    ],
)
def test_why_a_message_ended(reason: str | None, finish: str) -> None:
    assert MESSAGES.finish({"content": [{"type": "text", "text": "a"}], "stop_reason": reason}) == finish


def test_a_message_with_a_tool_call_is_one_whatever_it_says() -> None:
    assert MESSAGES.finish({"content": [{"type": "tool_use"}], "stop_reason": "end_turn"}) == "tools"


def test_why_an_embedding_ended() -> None:
    assert EMBEDDINGS.finish({"data": [{"embedding": [0.5]}]}) == "complete"
    assert EMBEDDINGS.finish({}) == "unknown"


def test_answer_text() -> None:
    assert CHAT.answer_text(completion(content="Hi")) == "Hi"
    assert CHAT.answer_text(completion(content=None)) == ""
    parts = [{"type": "text", "text": "H"}, {"type": "thinking"}, {"type": "text", "text": "i"}]
    assert CHAT.answer_text(completion(content=parts)) == "Hi"
    assert MESSAGES.answer_text({"content": parts}) == "Hi"
    assert MESSAGES.answer_text({}) == ""
    assert EMBEDDINGS.answer_text({"data": []}) == ""


LOGPROBS = {
    "content": [{"token": "H", "logprob": -0.25}, {"token": "i", "logprob": -1}, {"token": "!", "logprob": None}]
}


def test_token_logprobs() -> None:
    choice = {**completion(content="Hi!")["choices"][0], "logprobs": LOGPROBS}
    assert CHAT.token_logprobs({"choices": [choice]}) == [-0.25, -1.0, -9999.0]
    assert CHAT.token_logprobs(completion(content="Hi!")) is None
    assert MESSAGES.token_logprobs({"content": []}) is None
    assert EMBEDDINGS.token_logprobs({"data": []}) is None


def test_token_logprobs_of_one_event() -> None:
    data = orjson.dumps({"choices": [{"index": 0, "delta": {"content": "Hi!"}, "logprobs": LOGPROBS}]})
    assert CHAT.event_logprobs(Event(b"", data)) == [-0.25, -1.0, -9999.0]
    for other in (
        None,
        b"[DONE]",
        b'{"logprob":',
        b'["logprob"]',
        b'{"choices":[{"delta":{"content":"\\"logprob\\""}}]}',
    ):
        assert CHAT.event_logprobs(Event(b"", other)) is None
    assert MESSAGES.event_logprobs(Event(b"", data)) is None
    assert EMBEDDINGS.event_logprobs(Event(b"", data)) is None


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ({"error": {"message": "overloaded", "type": "server_error"}}, "overloaded"),
        ({"error": "overloaded"}, "overloaded"),
        ({"error": {"code": 5}}, '{"code":5}'),
        ({"error": None, "choices": []}, None),
        ({"choices": []}, None),
    ],
)
def test_an_error_inside_an_answer(whole: dict[str, Any], message: str | None) -> None:
    assert [dialect.failed(whole) for dialect in (CHAT, MESSAGES, EMBEDDINGS)] == [message] * 3


def test_vllms_older_error_shape() -> None:
    assert CHAT.failed({"object": "error", "message": "too long", "code": 400}) == "too long"


def test_anthropics_error_shape() -> None:
    fault = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert MESSAGES.failed(fault) == "Overloaded"
    assert MESSAGES.failed({"type": "error"}) == '{"type":"error"}'
    assert MESSAGES.failed({"type": "message", "content": []}) is None
