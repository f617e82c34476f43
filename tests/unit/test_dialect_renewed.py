"""An answer that is shown again has an id and a time of its own."""

import time
from typing import Any

import pytest

from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = (BY_PATH[p] for p in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"))


@pytest.mark.parametrize("identifier", ["chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "gen-" + "7" * 40])
def test_an_id_keeps_its_form(identifier: str) -> None:
    renewed = CHAT.renewed({"id": identifier, "choices": []})["id"]
    assert renewed != identifier
    assert len(renewed) == len(identifier)
    assert renewed.split("-")[0] == identifier.split("-")[0]
    assert renewed.split("-")[1].isalnum()


def test_a_messages_id_keeps_its_form() -> None:
    renewed = MESSAGES.renewed({"id": "msg_01XFDUDYJgAACzvnptvVoYEL"})["id"]
    assert renewed.startswith("msg_")
    assert len(renewed) == len("msg_01XFDUDYJgAACzvnptvVoYEL")


@pytest.mark.parametrize("given", [{}, {"id": None}, {"id": ""}, {"id": "1"}, {"id": "chatcmpl-1"}])
def test_short_or_missing_ids_become_long_enough_to_be_unique(given: dict[str, Any]) -> None:
    ids = {CHAT.renewed(given)["id"] for _ in range(1000)}
    assert len(ids) == 1000
    assert all(one.startswith("chatcmpl-") and len(one) == 33 for one in ids)


def test_nothing_else_changes_and_not_in_place() -> None:
    whole = {"id": "chatcmpl-1", "created": 5, "model": "m", "choices": [1]}
    earliest = int(time.time())
    renewed = CHAT.renewed(whole)
    assert {**renewed, "id": "chatcmpl-1", "created": 5} == whole
    assert earliest <= renewed["created"] <= int(time.time())
    assert whole["created"] == 5
    assert "created" not in MESSAGES.renewed({"id": "msg_1"})


def test_an_embedding_gets_an_id_only_where_it_had_one() -> None:
    plain = {"object": "list", "data": []}
    assert EMBEDDINGS.renewed(plain) == plain
    renewed = EMBEDDINGS.renewed({**plain, "id": "embd-" + "a" * 32, "created": 5})
    assert renewed["id"] != "embd-" + "a" * 32
    assert renewed["created"] > 5
