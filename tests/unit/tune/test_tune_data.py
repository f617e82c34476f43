"""Recorded asks are read strictly."""

from pathlib import Path
from typing import Any

import pytest

from doubles.cached import policy
from doubles.recordings import written
from sluice_cli.tune.data import MAX_PROBLEMS, Data, DataError, content, read

CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}],
}
SAID = {"choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2}}  # fmt: skip


def data(folder: Path, *lines: Any) -> Data:
    path = written(folder / "asks.jsonl", list(lines))
    return read(str(path), content(path), policy())


def test_a_text_and_its_answer(tmp_path: Path) -> None:
    (ask,) = data(tmp_path, {"text": "Where is my card?", "answer": "card_arrival", "took": 0.4}, "").asks
    assert (ask.fp.text, ask.answer, ask.took, ask.usage) == ("Where is my card?", "card_arrival", 0.4, None)


def test_openai_and_anthropic_logs(tmp_path: Path) -> None:
    claude = {"type": "message", "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn"}
    found = data(
        tmp_path, {"request": CHAT, "response": SAID},
        {"request": {"model": "c", "max_tokens": 9, "messages": CHAT["messages"][1:]}, "response": claude},
    )  # fmt: skip
    assert [(ask.fp.text, ask.answer) for ask in found.asks] == [("Hi?", "Hello.")] * 2
    assert found.asks[0].usage is not None
    assert found.asks[0].usage.prompt == 9
    assert found.asks[0].fp.scope != found.asks[1].fp.scope


def test_tenants_and_system_prompts_keep_asks_apart(tmp_path: Path) -> None:
    other = {**CHAT, "messages": [{"role": "user", "content": "Hi?"}]}
    lines = [{"request": CHAT, "response": SAID, "tenant": "a"}, {"request": CHAT, "response": SAID, "tenant": "b"},
             {"request": other, "response": SAID, "tenant": "a"}]  # fmt: skip
    assert len({ask.fp.scope for ask in data(tmp_path, *lines).asks}) == 3


def test_with_times_the_order_is_that_of_the_times(tmp_path: Path) -> None:
    found = data(tmp_path, {"text": "b", "answer": "x", "at": 20}, {"text": "a", "answer": "x", "at": 10.5})
    assert found.timed
    assert [ask.fp.text for ask in found.asks] == ["a", "b"]


def test_calls_that_the_cache_would_not_have_kept_are_left_out_and_counted(tmp_path: Path) -> None:
    cut = {"choices": [{"message": {"content": "Hel"}, "finish_reason": "length"}]}
    found = data(
        tmp_path, {"text": "Hi?", "answer": "Hello."}, {"text": "Hi there?", "answer": " "},
        {"request": CHAT, "response": cut}, {"request": {**CHAT, "n": 2}, "response": SAID},
    )  # fmt: skip
    assert (len(found.asks), found.lines) == (1, 4)
    assert found.left_out == {
        "answers that are none (empty)": 1, "truncated answers": 1, "asks that the cache never answers (n>1)": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ({"text": "a"}, "answer: missing"),
        ({"text": 7, "answer": "b"}, "text: must be text"),
        ({"text": "a", "answer": "b", "request": {}}, "give text and answer, or request and response"),
        ({"text": "a", "answer": "b", "anser": "c"}, "anser: unknown field"),
        ({"text": "a", "answer": "b", "at": "noon"}, "at: must be a number of seconds"),
        ({"text": "a", "answer": "b", "took": -1}, "took: must be a number of seconds"),
        ({"text": "a", "answer": "b", "tenant": 3}, "tenant: must be text"),
        ({"request": CHAT, "response": {"id": "x"}}, "response: neither OpenAI's"),
        ({"request": {"model": "m"}, "response": SAID}, "request: "),
    ],
)
def test_a_malformed_line_is_told_with_its_number_and_what_to_do(tmp_path: Path, line: Any, words: str) -> None:
    with pytest.raises(DataError) as problem:
        data(tmp_path, {"text": "a", "answer": "b"}, line)
    assert "asks.jsonl:2: " in str(problem.value)
    assert words in str(problem.value)


def test_times_on_some_lines_only_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":2: at: missing"):
        data(tmp_path, {"text": "a", "answer": "b", "at": 1}, {"text": "c", "answer": "d"})


def test_many_problems_are_cut_short(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="and 10 more problems"):
        data(tmp_path, *["{"] * (MAX_PROBLEMS + 10))


@pytest.mark.parametrize("lines", [b"", b"\n\n", b'{"text": "a", "answer": ""}\n'])
def test_a_file_without_a_usable_ask_is_refused(lines: bytes) -> None:
    with pytest.raises(DataError, match=r"asks: holds no ask that can be used"):
        read("asks", lines, policy())


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(DataError, match=r"asks:1: not JSON"):
        read("asks", b'{"text": "\xff", "answer": "b"}\n', policy())


def test_a_gateways_export_keeps_its_scopes_and_times(tmp_path: Path) -> None:
    line = {"key": "0" * 32, "scope": "1" * 32, "tenant": "a", "policy": "p", "text": "Hi?", "answer": SAID,
            "created": 7.5, "expires": 9.0, "group": "g", "backend": "b", "took": 0.25, "usage": {}}  # fmt: skip
    (ask,) = data(tmp_path, line).asks
    assert (ask.fp.key, ask.fp.scope, ask.fp.text) == ("0" * 32, "1" * 32, "Hi?")
    assert (ask.answer, ask.tenant, ask.at, ask.took) == ("Hello.", "a", 7.5, 0.25)
    with pytest.raises(DataError, match="scope: must be 32 hex digits"):
        data(tmp_path, {**line, "scope": "x"})
