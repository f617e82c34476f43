"""The skeleton holds everything that can change an answer, and nothing that cannot."""

from copy import deepcopy
from typing import Any

import orjson
import pytest

from sluice_sidecar.dialects import anthropic_messages, openai_chat, openai_embeddings
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = "/v1/chat/completions", "/v1/embeddings", "/v1/messages"
BASE: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hello"}],
}


def skeleton(path: str, body: dict[str, Any]) -> dict[str, Any]:
    dialect = BY_PATH[path]
    before = deepcopy(body)
    found = dialect.skeleton(dialect.parse(orjson.dumps(body), body))
    assert body == before, "the body was changed"
    return found


def asking(content: Any, **fields: Any) -> dict[str, Any]:
    return {**BASE, "messages": [BASE["messages"][0], {"role": "user", "content": content}], **fields}


LEFT_OUT = {
    CHAT: "metadata prompt_cache_key prompt_cache_retention safety_identifier service_tier store stream "
    "stream_options user",
    MESSAGES: "cache_control metadata service_tier stream",
    EMBEDDINGS: "metadata safety_identifier service_tier user",
}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (CHAT, openai_chat.TRANSPORT),
        (MESSAGES, anthropic_messages.TRANSPORT),
        (EMBEDDINGS, openai_embeddings.TRANSPORT),
    ],
)
def test_the_list_of_what_is_left_out(path: str, names: frozenset[str]) -> None:
    assert sorted(names) == LEFT_OUT[path].split()


SAMPLES: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, "store": True}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((CHAT, name) for name in sorted(openai_chat.TRANSPORT)),
        *((MESSAGES, name) for name in sorted(anthropic_messages.TRANSPORT)),
    ],
)
def test_transport_fields_are_out(path: str, name: str) -> None:
    assert skeleton(path, {**BASE, name: SAMPLES.get(name, {"a": "b"})}) == skeleton(path, BASE)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "other"},
        {"temperature": 0},
        {"temperature": 1},
        {"temperature": None},
        {"seed": 7},
        {"max_tokens": 5},
        {"tools": [{"name": "f"}]},
        {"response_format": {"type": "json_object"}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"logprobs": True},
        {"a_field_of_next_year": 1},
    ],
)
def test_everything_else_is_in(path: str, fields: dict[str, Any]) -> None:
    assert skeleton(path, {**BASE, **fields}) != skeleton(path, BASE)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_asks_that_differ_in_the_last_text_alone_are_equal(path: str) -> None:
    assert skeleton(path, asking("Hello")) == skeleton(path, asking("Good morning"))
    assert b"Hello" not in orjson.dumps(skeleton(path, asking("Hello")))


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_an_earlier_text_part_must_be_the_same(path: str) -> None:
    def document(text: str, question: str) -> dict[str, Any]:
        return asking([{"type": "text", "text": text}, {"type": "text", "text": question}])

    assert skeleton(path, document("A", "When?")) == skeleton(path, document("A", "Where?"))
    assert skeleton(path, document("A", "When?")) != skeleton(path, document("B", "When?"))


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be rude"}, {"role": "user", "content": "Hello"}],
        [{"role": "user", "content": "Hello"}],
        [*BASE["messages"], {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Hello"}],
        [BASE["messages"][0], {"role": "user", "content": "Hello", "name": "eve"}],
    ],
)
def test_the_history_is_in(path: str, messages: list[dict[str, Any]]) -> None:
    assert skeleton(path, {**BASE, "messages": messages}) != skeleton(path, BASE)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_without_a_text_the_last_message_is_in_whole(path: str) -> None:
    image = [{"type": "image", "source": "A"}, {"type": "text", "text": "What is it?"}]
    other = [{"type": "image", "source": "A"}, {"type": "text", "text": "Whose is it?"}]
    assert skeleton(path, asking(image)) != skeleton(path, asking(other))


def test_no_text_equals_the_slot() -> None:
    slot = skeleton(CHAT, BASE)["messages"][-1]["content"]
    assert not isinstance(slot, str)


def test_a_string_and_one_text_block_are_one_for_anthropic() -> None:
    assert skeleton(MESSAGES, asking([{"type": "text", "text": "Hi"}])) == skeleton(MESSAGES, asking("Hi"))


def test_a_string_and_one_text_part_stay_apart_for_openai() -> None:
    assert skeleton(CHAT, asking([{"type": "text", "text": "Hi"}])) != skeleton(CHAT, asking("Hi"))


def test_cache_marks_are_left_out_wherever_they_stand() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}

    def body(mark: dict[str, Any]) -> dict[str, Any]:
        result = [{"type": "text", "text": "21 C", **mark}]
        return {
            "model": "m",
            "system": [{"type": "text", "text": "Be kind", **mark}],
            "tools": [{"name": "weather", "input_schema": {"type": "object"}, **mark}],
            "messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": result, **mark}]},
                {"role": "user", "content": [{"type": "text", "text": "Hi", **mark}]},
            ],
        }

    assert skeleton(MESSAGES, body(mark)) == skeleton(MESSAGES, body({}))
    assert b"cache_control" not in orjson.dumps(skeleton(MESSAGES, body(mark)))


def test_a_cache_mark_with_an_escaped_name_is_left_out_too() -> None:
    dialect = BY_PATH[MESSAGES]
    raw = rb'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi","cache\u005fcontrol":{}}]}]}'
    marked = dialect.parse(raw, orjson.loads(raw))
    plain = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert dialect.skeleton(marked) == skeleton(MESSAGES, plain)


@pytest.mark.parametrize(
    "body",
    [
        asking("Hi", tools=[{"name": "f", "input_schema": {"properties": {"cache_control": {"type": "string"}}}}]),
        {
            **BASE,
            "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "input": {"cache_control": "no"}}]},
                *BASE["messages"],
            ],
        },
    ],
)
def test_a_tool_that_speaks_of_cache_control_keeps_it(body: dict[str, Any]) -> None:
    assert b"cache_control" in orjson.dumps(skeleton(MESSAGES, body))


def test_an_embedding_request_is_in_whole_but_for_who_asks() -> None:
    body = {"model": "e", "input": "Hello", "dimensions": 256, "encoding_format": "base64"}
    assert skeleton(EMBEDDINGS, {**body, "user": "eve"}) == body
    assert skeleton(EMBEDDINGS, {**body, "input": "Other"}) != body
