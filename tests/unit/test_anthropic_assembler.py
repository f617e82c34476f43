"""Message stream events become the message that a call without a stream would have given."""

from typing import Any

import orjson
import pytest
from anthropic.types import Message

from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.upstream.sse import Event

START = {
    "type": "message_start",
    "message": {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def event(data: dict[str, Any]) -> Event:
    text = orjson.dumps(data)
    name = str(data.get("type")).encode()
    return Event(b"event: " + name + b"\ndata: " + text + b"\n\n", text, name)


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(reason: str = "end_turn", usage: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": usage or {"output_tokens": 9}, **fields}


def assembled(*events: dict[str, Any]) -> dict[str, Any]:
    assembler = ANTHROPIC_MESSAGES.assembler()
    for one in events:
        assembler.feed(event(one))
    return assembler.whole()


def content(*events: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = assembled(START, *events, end(), STOP)["content"]
    return found


def test_a_text() -> None:
    whole = assembled(
        START,
        *block(
            0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hé"}, {"type": "text_delta", "text": "!"}
        ),
        {"type": "ping"},
        end("stop_sequence", {"output_tokens": 9, "input_tokens": None, "cache_read_input_tokens": 5}, extra={"a": 1}),
        STOP,
    )
    assert whole == {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hé!"}],
        "stop_reason": "stop_sequence",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 9},
        "extra": {"a": 1},
    }
    Message.model_validate(whole, strict=True)


def test_done_is_message_stop() -> None:
    assembler = ANTHROPIC_MESSAGES.assembler()
    for one in (START, end()):
        assembler.feed(event(one))
    assert not assembler.done
    assembler.feed(event(STOP))
    assert assembler.done


def test_a_comment_is_nothing() -> None:
    assembler = ANTHROPIC_MESSAGES.assembler()
    assembler.feed(Event(b": hi\n\n", None))
    with pytest.raises(ValueError, match="without an answer"):
        assembler.whole()


def test_a_tools_input_is_parsed_at_the_end() -> None:
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"city": "Pa', 'ris"}')]
    tool = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    assert content(*block(0, tool, *pieces)) == [{**tool, "input": {"city": "Paris"}}]


def test_a_tool_without_arguments_has_an_empty_input() -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    assert content(*block(0, tool, {"type": "input_json_delta", "partial_json": ""})) == [tool]


def test_an_input_that_the_token_limit_cut_is_read_as_far_as_it_goes() -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    cut = block(0, tool, {"type": "input_json_delta", "partial_json": '{"city": "Paris", "da'})
    whole = assembled(START, *cut, end("max_tokens"), STOP)
    assert whole["content"][0]["input"] == {"city": "Paris"}
    with pytest.raises(ValueError, match=r".+"):
        assembled(START, *cut, end("tool_use"), STOP)


def test_thinking_and_its_signature() -> None:
    found = content(
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Let me "},
            {"type": "thinking_delta", "thinking": "see"},
            {"type": "signature_delta", "signature": "EqQB"},
        ),
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "42"}),
    )
    assert found == [
        {"type": "thinking", "thinking": "Let me see", "signature": "EqQB"},
        {"type": "text", "text": "42"},
    ]


def test_citations_are_collected() -> None:
    found = content(
        *block(
            0,
            {"type": "text", "text": "", "citations": []},
            {"type": "citations_delta", "citation": {"cited_text": "a"}},
            {"type": "text_delta", "text": "A"},
            {"type": "citations_delta", "citation": {"cited_text": "b"}},
        )
    )
    assert found == [{"type": "text", "text": "A", "citations": [{"cited_text": "a"}, {"cited_text": "b"}]}]


def test_unknown_deltas_and_blocks() -> None:
    found = content(
        *block(0, {"type": "redacted_thinking", "data": "xyz"}),
        *block(
            1,
            {"type": "poem", "verse": "O "},
            {"type": "verse_delta", "verse": "Rose", "score": 1},
            {"type": "verse_delta", "verse": "!", "score": 2},
        ),
    )
    assert found == [{"type": "redacted_thinking", "data": "xyz"}, {"type": "poem", "verse": "O Rose!", "score": 2}]


def test_an_event_type_of_next_year_is_passed_over() -> None:
    assert content({"type": "weather_report", "sun": True}) == []


def test_an_error_event_is_the_answer() -> None:
    fault = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    whole = assembled(START, fault)
    assert whole == fault
    assert ANTHROPIC_MESSAGES.failed(whole) == "Overloaded"


@pytest.mark.parametrize(
    "events",
    [
        [end()],
        [{"type": "message_start", "message": None}],
        [START, {"type": "content_block_start", "index": None, "content_block": {}}],
        [START, {"type": "content_block_start", "index": 0, "content_block": "x"}],
        [START, {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "a"}}],
        [START, *block(0, {"type": "tool_use"}, {"type": "input_json_delta", "partial_json": 5})],
        [START, {"type": "message_delta", "delta": 5}],
    ],
)
def test_malformed_events_are_value_errors(events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="stream"):
        assembled(*events)


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
def test_malformed_data_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ANTHROPIC_MESSAGES.assembler().feed(Event(b"", data))
