"""Lines of other people's logs become exchanges, or are refused with the field and the cure."""

from typing import Any

import pytest

from sluice_cli.cache.shapes import ShapeError, shaped

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
ANSWER: dict[str, Any] = {"object": "chat.completion", "choices": []}


def test_our_own_shape_stays_as_it_is() -> None:
    line = {"request": ASK, "response": ANSWER, "created": 5, "path": "/v1/messages", "tenant": "acme"}
    assert shaped(line) == line
    entry = {"key": "k", "tenant": "acme"}
    assert shaped(entry, model="auto") == entry


def test_tenant_and_model_replace_what_the_line_says() -> None:
    line: dict[str, Any] = {"request": ASK, "response": ANSWER, "tenant": "acme"}
    assert shaped(line, tenant="beta", model="auto") == {**line, "tenant": "beta", "request": {**ASK, "model": "auto"}}
    assert line["request"]["model"] == "gpt-4o", "the line itself is not changed"
    assert shaped({"key": "k"}, tenant="beta") == {"key": "k", "tenant": "beta"}


def test_bodies_as_text_or_beside_a_url_are_unwrapped() -> None:
    assert shaped({"request": '{"model": "m"}', "response": "{}"}) == {"request": {"model": "m"}, "response": {}}
    wrapped = {
        "request": {"url": "https://h/v1/messages?beta=1", "body": ASK},
        "response": {"status": 200, "body": ANSWER},
    }
    assert shaped(wrapped) == {"path": "/v1/messages", "request": ASK, "response": ANSWER}


def test_batch_output_is_joined_with_its_input() -> None:
    asked = {"r1": {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": ASK}}
    line = {"custom_id": "r1", "response": {"status_code": 200, "body": ANSWER}, "error": None}
    assert shaped(line, requests=asked) == {"path": "/v1/chat/completions", "request": ASK, "response": ANSWER}


def test_litellms_log_gives_the_name_that_was_asked_for_and_when_it_was_answered() -> None:
    line = {
        "id": "1", "call_type": "acompletion", "status": "success", "model": "azure/gpt-4o", "model_group": "gpt-4o",
        "messages": ASK["messages"], "response": ANSWER, "model_parameters": {"temperature": 0, "stop": None},
        "startTime": 10.0, "endTime": 12.5, "response_time": 2.5,
    }  # fmt: skip
    assert shaped(line) == {
        "request": {**ASK, "temperature": 0}, "response": ANSWER, "created": 12.5, "took": 2.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "field", "cure"),
    [
        ({"request": "{", "response": {}}, "request", "not JSON"),
        ({"custom_id": "r1", "response": {}}, "custom_id", "--requests"),
        ({"messages": [], "response": {}, "status": "failure"}, "status", "failed"),
        ({"messages": [], "response": {}, "call_type": "aembedding"}, "call_type", "chat completion"),
    ],
)
def test_what_holds_no_exchange_is_told(line: dict[str, Any], field: str, cure: str) -> None:
    with pytest.raises(ShapeError) as told:
        shaped(line)
    assert told.value.field == field
    assert cure in told.value.message


@pytest.mark.parametrize("line", [{"custom_id": "r2"}, {"custom_id": "r1", "response": {"status_code": 500}}])
def test_a_batch_line_without_request_or_answer_is_told(line: dict[str, Any]) -> None:
    with pytest.raises(ShapeError):
        shaped(line, requests={"r1": {"body": ASK}})
