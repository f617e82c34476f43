"""A batch's input: what is queued of it, what is told of it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from doubles.batching import jsonl, line
from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import lines
from sluice_sidecar.batch.lines import read, request_body
from sluice_sidecar.batch.prefix import prefix_key

CHAT = "/v1/chat/completions"


def find(model: str) -> str:
    if model != "auto":
        raise Problem(404, "model_not_found", f"The model {model!r} does not exist here.")
    return "main"


def written(folder: Path, *some: Any) -> Path:
    path = folder / "input"
    path.write_bytes(jsonl(some))
    return path


def test_every_request_has_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, line("a", "one"), "", line("b", "zwölf") | {"body": line("b", "zwölf")["body"]})
    found, wrong = read(path, "openai", CHAT, find)
    assert wrong == []
    assert [(one.line, one.custom_id, one.route) for one in found] == [(0, "a", "main"), (2, "b", "main")]
    body = orjson.loads(request_body(path, found[1].offset, found[1].length, "openai"))
    assert body["messages"][0]["content"] == "zwölf"


def test_nobody_streams_to_a_file(tmp_path: Path) -> None:
    asked = line("a")
    asked["body"] |= {"stream": True, "stream_options": {"include_usage": True}, "seed": 1}
    path = written(tmp_path, asked)
    entry = read(path, "openai", CHAT, find)[0][0]
    body = orjson.loads(request_body(path, entry.offset, entry.length, "openai"))
    assert "stream" not in body
    assert "stream_options" not in body
    assert body["seed"] == 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("{", "invalid_json_line"),
        ("[]", "invalid_json_line"),
        (line(""), "missing_required_parameter"),
        (line("x" * 513), "missing_required_parameter"),
        (line("a") | {"method": "GET"}, "invalid_method"),
        (line("a") | {"url": "/v1/embeddings"}, "mismatched_endpoint"),
        (line("a") | {"body": "x"}, "missing_required_parameter"),
        (line("a") | {"body": {"messages": []}}, "missing_required_parameter"),
        (line("a", model="nobody"), "mismatched_model"),
    ],
)
def test_a_wrong_line_is_told_and_nothing_is_queued(tmp_path: Path, bad: Any, code: str) -> None:
    found, wrong = read(written(tmp_path, line("first"), bad), "openai", CHAT, find)
    assert found == []
    assert [one.code for one in wrong][:1] == [code]
    assert wrong[0].line == 2


def test_an_unknown_model_is_told_unless_the_request_s_own_result_tells_it(tmp_path: Path) -> None:
    path = written(tmp_path, line("a", model="nobody"))
    assert [one.code for one in read(path, "openai", CHAT, find)[1]] == ["model_not_found"]
    path = written(tmp_path, {"custom_id": "a", "params": {"model": "nobody"}})
    assert [one.route for one in read(path, "anthropic", "/v1/messages", find)[0]] == [""]


def test_an_empty_file_and_one_with_too_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.code for one in read(written(tmp_path, ""), "openai", CHAT, find)[1]] == ["empty_file"]
    monkeypatch.setattr(lines, "LINES", 2)
    many = read(written(tmp_path, *(line(str(n)) for n in range(3))), "openai", CHAT, find)
    assert [one.code for one in many[1]] == ["too_many_requests"]


def test_what_begins_alike_is_sorted_side_by_side() -> None:
    def asked(system: str, said: str) -> bytes:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
        return prefix_key({"model": "auto", "messages": messages})

    long, other = "You are a clerk. " * 100, "You sort letters. " * 100
    keys = {(s, n): asked(s, f"document {n} " * 9) for n in range(20) for s in (long, other)}
    order = [system for (system, _) in sorted(keys, key=lambda one: keys[one])]
    assert order in ([long] * 20 + [other] * 20, [other] * 20 + [long] * 20)
    assert len(set(keys.values())) == 40
