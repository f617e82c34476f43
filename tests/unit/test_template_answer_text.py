"""An answer is written as the earlier answers were."""

import json

import pytest

from sluice_sidecar.cache.reuse.template import parse, serialise

ANSWER = {"b": 1.5, "a": None, "rows": [{"y": "ü", "x": 2}, {"y": "z", "x": 3}]}


@pytest.mark.parametrize(
    "like",
    [
        json.dumps(ANSWER),
        json.dumps(ANSWER, separators=(",", ":")),
        json.dumps(ANSWER, indent=2, ensure_ascii=False),
        json.dumps(ANSWER, indent="\t", ensure_ascii=False),
        "```json\n" + json.dumps(ANSWER, indent=4) + "\n```",
        "Here it is:\n```\n" + json.dumps(ANSWER, ensure_ascii=False) + "\n```\nAnything else?",
        json.dumps(ANSWER, ensure_ascii=False) + "\n",
    ],
)
def test_the_same_answer_is_written_the_same(like: str) -> None:
    assert serialise(parse(like), like) == like


def test_keys_come_in_the_order_of_the_earlier_answer() -> None:
    assert serialise({"a": 1, "b": 2, "c": 3}, '{"c":0,"b":0,"a":0}') == '{"c":3,"b":2,"a":1}'


def test_text_that_holds_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        parse("There is no invoice in this text.")
