"""An entry's bytes: what is stored and what is sent."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.entry import Damaged, Entry


def entry(whole: dict[str, Any]) -> Entry:
    return Entry("k" * 32, "s" * 32, "acme", "support", "large", "Why?\n", orjson.dumps(whole), Usage(1, 2, 3), 0.5,
                 10.0, 20.0, 25.0)  # fmt: skip


def test_a_replay_has_its_own_id_and_time() -> None:
    whole = {"id": "chatcmpl-1", "object": "x", "created": 5, "choices": [{"id": "chatcmpl-1", "created": 5}]}
    kept = entry(whole)
    for ident, at in ((b"chatcmpl-2", 6), (b"chatcmpl-3", 7)):
        assert orjson.loads(kept.fresh(ident, at)) == {**whole, "id": ident.decode(), "created": at}


def test_the_order_of_fields_stays() -> None:
    kept = entry({"created": 5, "b": 1, "id": "old", "a": 2})
    assert kept.fresh(b"new", 6) == b'{"created":6,"b":1,"id":"new","a":2}'


def test_an_answer_without_creation_time_gets_none() -> None:
    assert entry({"id": "msg_1", "content": []}).fresh(b"msg_2", 6) == b'{"id":"msg_2","content":[]}'


def test_an_answer_without_id_is_sent_as_it_is() -> None:
    assert entry({"object": "list", "data": []}).fresh(b"x", 1) == b'{"object":"list","data":[]}'


def test_the_parsed_answer_may_be_changed() -> None:
    kept = entry({"id": "a"})
    kept.whole["id"] = "b"
    assert kept.whole == {"id": "a"}


def test_bytes_come_back() -> None:
    kept = entry({"id": "a", "text": "line\nline"})
    assert Entry.from_bytes(kept.to_bytes()) == kept
    assert Entry.from_bytes(replace(kept, text=None).to_bytes()).text is None


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"[]\n{}", b"{}\n{}", b"[1,2]\n{}", b"\xff\n", b"[9" + b",1" * 13 + b"]\n{}"]
)
def test_anything_else_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        Entry.from_bytes(data)
