"""A request's system prompts are found in every dialect, and replaced without touching anything else."""

import json
from typing import Any

import orjson
import pytest

from sluice_sidecar.ask import Ask
from sluice_sidecar.audit.prompts import followed, prompts, with_prompts
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.openai_embeddings import OPENAI_EMBEDDINGS

USER = {"role": "user", "content": "Hi"}


def parsed(dialect: Dialect, body: dict[str, Any] | bytes) -> Ask:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dialect.parse(raw, orjson.loads(raw))


def chat(*messages: Any, **more: Any) -> Ask:
    return parsed(OPENAI_CHAT, {"model": "m", "messages": [*messages, USER], **more})


def message(system: Any) -> Ask:
    return parsed(ANTHROPIC_MESSAGES, {"model": "m", "max_tokens": 9, "system": system, "messages": [USER]})


def test_openai_system_and_developer_messages_are_prompts() -> None:
    ask = chat({"role": "system", "content": "A"}, USER, {"role": "developer", "content": "B"})
    assert prompts(ask) == ("A", "B")
    assert followed(ask) == [USER, USER]


def test_text_parts_are_prompts_each() -> None:
    parts = [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert prompts(chat({"role": "system", "content": parts})) == ("A", "B")
    assert prompts(message([{**parts[0], "cache_control": {"type": "ephemeral"}}, parts[1]])) == ("A", "B")
    assert prompts(message("A")) == ("A",)


@pytest.mark.parametrize("content", ["", None, [], [{"type": "image_url"}], 7])
def test_what_says_nothing_is_none(content: Any) -> None:
    assert prompts(chat({"role": "system", "content": content})) == ()


def test_another_dialects_field_is_none() -> None:
    assert prompts(chat(system="A")) == ()
    assert prompts(parsed(OPENAI_EMBEDDINGS, {"model": "m", "input": "x", "messages": "A"})) == ()


def test_equal_texts_leave_the_request_itself() -> None:
    ask = chat({"role": "system", "content": "A"})
    assert with_prompts(ask, ["A"]) is ask


@pytest.mark.parametrize("spell", [lambda text: json.dumps(text), lambda text: json.dumps(text, ensure_ascii=False)])
def test_all_other_bytes_stay_as_they_were_sent(spell: Any) -> None:
    start = '{ "model":"m","temperature":0.10, "seed":123456789012345678901234567890,\n "messages":[{"content":'
    end = ',"role":"system"} , {"role":"user","content":"H\\u00e9"}]}'
    ask = parsed(OPENAI_CHAT, (start + spell('Grüße \U0001f600 "x"\n') + end).encode())
    changed = with_prompts(ask, ["Grüß"])
    assert changed.raw == (start + spell("Grüß") + end).encode()
    assert prompts(changed) == ("Grüß",)


def test_a_text_that_stands_in_two_places_is_replaced_in_the_right_one() -> None:
    ask = chat({"role": "system", "content": "Hi"}, seed=123456789012345678901234567890)
    changed = with_prompts(ask, ["Ho"])
    assert json.loads(changed.raw) == json.loads(ask.raw) | {"messages": [{"role": "system", "content": "Ho"}, USER]}


def test_of_a_repeated_key_the_last_counts() -> None:
    first, last = ('"messages":[{"role":"system","content":"' + said + '"}]' for said in ("old", "new"))
    ask = parsed(OPENAI_CHAT, f'{{"model":"m",{first},{last}}}'.encode())
    assert prompts(with_prompts(ask, ["old"])) == ("old",)
    assert orjson.loads(with_prompts(ask, ["old"]).raw)["messages"][0]["content"] == "old"


def test_a_prompt_that_becomes_empty_goes() -> None:
    assert orjson.loads(with_prompts(chat({"role": "system", "content": "A"}), [""]).raw)["messages"] == [USER]
    assert "system" not in orjson.loads(with_prompts(message("A"), [""]).raw)
    block = {"type": "text", "text": "B"}
    left = with_prompts(message([{"type": "text", "text": "A"}, block]), ["", "B"])
    assert orjson.loads(left.raw)["system"] == [block]
