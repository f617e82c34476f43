"""Chat completion chunks become the completion that a call without a stream would have given."""

from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion

from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.upstream.sse import Event

DONE = Event(b"data: [DONE]\n\n", b"[DONE]")


def event(data: Any, name: bytes = b"message") -> Event:
    text = orjson.dumps(data)
    return Event(b"data: " + text + b"\n\n", text, name)


def chunk(delta: dict[str, Any] | None, *, index: int = 0, finish: str | None = None, **fields: Any) -> Event:
    choice = {"index": index, "delta": delta, "logprobs": fields.pop("logprobs", None), "finish_reason": finish}
    choice.update(fields.pop("choice", {}))
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "m"}
    return event({**head, "choices": [choice], **fields})


def assembled(*events: Event) -> dict[str, Any]:
    assembler = OPENAI_CHAT.assembler()
    for one in events:
        assembler.feed(one)
    return assembler.whole()


def message(*events: Event) -> dict[str, Any]:
    found: dict[str, Any] = assembled(*events)["choices"][0]["message"]
    return found


def test_a_text() -> None:
    whole = assembled(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None, system_fingerprint="fp"),
        Event(b": keep-alive\n\n", None),
        chunk({"content": "Hé"}, obfuscation="x8"),
        chunk({"content": "llo"}),
        chunk({}, finish="stop", service_tier="default"),
        event(
            {
                "id": "chatcmpl-1",
                "choices": [],
                "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            }
        ),
        DONE,
    )
    assert whole == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Héllo", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "system_fingerprint": "fp",
        "service_tier": "default",
    }
    ChatCompletion.model_validate(whole, strict=True)


def test_done_is_the_end_marker_alone() -> None:
    assembler = OPENAI_CHAT.assembler()
    assembler.feed(chunk({"content": "Hi"}, finish="stop"))
    assert not assembler.done
    assembler.feed(DONE)
    assert assembler.done


def test_tool_calls_by_index() -> None:
    calls = message(
        chunk({"role": "assistant", "content": None}),
        chunk(
            {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}
        ),
        chunk(
            {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x'}}]}
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        chunk({"tool_calls": [{"index": 1, "function": {"arguments": '":1}'}}]}),
        chunk({}, finish="tool_calls"),
    )
    assert calls == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x":1}'}},
        ],
    }


def test_a_server_that_repeats_id_and_name_in_every_chunk() -> None:
    part = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}
    rest = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "}"}}
    (call,) = message(chunk({"tool_calls": [part]}), chunk({"tool_calls": [rest]}))["tool_calls"]
    assert call == {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_tool_calls_without_an_index_go_by_id() -> None:
    parts = [
        {"id": "a", "function": {"name": "f", "arguments": "1"}},
        {"id": "b", "function": {"name": "g", "arguments": "2"}},
        {"function": {"arguments": "3"}},
        {"id": "a", "function": {"arguments": "4"}},
    ]
    calls = message(*(chunk({"tool_calls": [part]}) for part in parts))["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ["14", "23"]


def test_a_custom_tool_and_fields_nobody_knows() -> None:
    (call,) = message(
        chunk({"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "l"}}]}),
        chunk({"tool_calls": [{"index": 0, "custom": {"input": "s"}, "extra": {"sign": "x"}}]}),
    )["tool_calls"]
    assert call == {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}, "extra": {"sign": "x"}}


def test_the_old_function_call() -> None:
    found = message(
        chunk({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}),
    )
    assert found["function_call"] == {"name": "f", "arguments": "{}"}


def test_unknown_delta_fields() -> None:
    found = message(
        chunk({"role": "assistant", "reasoning_content": "I ", "annotations": []}),
        chunk({"reasoning_content": "think", "annotations": [{"type": "url"}], "score": 1}),
        chunk({"content": "42", "score": 2, "reasoning_content": None}),
    )
    assert found == {
        "role": "assistant",
        "content": "42",
        "reasoning_content": "I think",
        "annotations": [{"type": "url"}],
        "score": 2,
    }


def test_several_choices_in_any_order() -> None:
    whole = assembled(
        chunk({"content": "b"}, index=1),
        chunk({"content": "a"}, index=0),
        chunk({"content": "B"}, index=1, finish="length"),
        chunk({"content": "A"}, index=0, finish="stop"),
    )
    found = [(c["index"], c["message"]["content"], c["finish_reason"]) for c in whole["choices"]]
    assert found == [(0, "aA", "stop"), (1, "bB", "length")]


def test_logprobs_are_added_up() -> None:
    def token(text: str) -> dict[str, Any]:
        return {"token": text, "logprob": -0.5, "bytes": None, "top_logprobs": []}

    whole = assembled(
        chunk({"content": "a"}, logprobs={"content": [token("a")], "refusal": None}),
        chunk({"content": "b"}, logprobs={"content": [token("b")], "refusal": None}),
        chunk({}, finish="stop"),
    )
    assert whole["choices"][0]["logprobs"] == {"content": [token("a"), token("b")], "refusal": None}


def test_feeding_does_not_change_what_was_fed_to_another() -> None:
    one = chunk({"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -1}]})
    assert assembled(one, one) == assembled(one, one)


def test_azure_begins_with_a_chunk_of_empty_fields() -> None:
    first = event({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [1]})
    whole = assembled(first, chunk({"content": "a"}, choice={"content_filter_results": {"hate": 0}}))
    assert (whole["id"], whole["created"], whole["model"]) == ("chatcmpl-1", 5, "m")
    assert whole["prompt_filter_results"] == [1]
    assert whole["choices"][0]["content_filter_results"] == {"hate": 0}


def test_llama_cpp_timings_are_kept() -> None:
    whole = assembled(chunk({"content": "a"}, finish="stop"), event({"choices": [], "timings": {"prompt_ms": 2.5}}))
    assert whole["timings"] == {"prompt_ms": 2.5}
    assert "usage" not in whole


def test_an_answer_without_a_word_has_an_empty_text() -> None:
    assert message(chunk({"role": "assistant", "content": None}), chunk({}, finish="stop"))["content"] == ""


def test_a_refusal_has_no_text() -> None:
    found = message(chunk({"role": "assistant", "content": None, "refusal": "I "}), chunk({"refusal": "won't"}))
    assert (found["content"], found["refusal"]) == (None, "I won't")


@pytest.mark.parametrize("name", [b"message", b"error"])
def test_an_error_in_the_stream_is_the_answer(name: bytes) -> None:
    whole = assembled(chunk({"content": "a"}), event({"error": {"message": "overloaded", "code": 500}}, name))
    assert OPENAI_CHAT.failed(whole) == "overloaded"


def test_a_bare_error_event_is_the_answer() -> None:
    assert OPENAI_CHAT.failed(assembled(event({"message": "overloaded"}, b"error"))) == "overloaded"


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"choices":7}',
        b'{"choices":["x"]}',
        b'{"choices":[{"index":"0"}]}',
        b'{"choices":[{"delta":"x"}]}',
        b'{"choices":[{"delta":{"tool_calls":5}}]}',
        b'{"choices":[{"delta":{"tool_calls":[5]}}]}',
    ],
)
def test_malformed_data_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        assembled(Event(b"data: " + data + b"\n\n", data))


def test_a_stream_without_an_answer_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="without an answer"):
        assembled(event({"choices": [], "usage": {"prompt_tokens": 1}}), DONE)
