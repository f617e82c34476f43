"""Requests whose answers must not be reused say why."""

from typing import Any

import pytest

from sluice_sidecar.dialects.registry import BY_PATH

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"n": 2}, "n>1"),
        ({"background": True}, "background"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "audio"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({}, None),
        ({"n": 1, "background": False, "audio": None, "modalities": ["text"], "web_search_options": None}, None),
        ({"store": True, "seed": 1}, None),
    ],
)
def test_chat(fields: dict[str, Any], reason: str | None) -> None:
    body = {"model": "m", "messages": HELLO, **fields}
    assert BY_PATH["/v1/chat/completions"].parse(b"", body).bypass == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search_20250305"),
        (
            {"tools": [{"name": "mine", "input_schema": {}}, {"type": "code_execution_20250522"}]},
            "code_execution_20250522",
        ),
        ({"mcp_servers": [{"type": "url", "url": "https://example.com"}]}, "mcp_servers"),
        ({"container": "container_1"}, "container"),
        ({"tools": [{"type": "custom", "name": "web", "input_schema": {}}]}, None),
        ({"tools": None, "mcp_servers": [], "container": None}, None),
        ({"tools": "strange"}, None),
        ({}, None),
    ],
)
def test_messages(fields: dict[str, Any], reason: str | None) -> None:
    body = {"model": "m", "messages": HELLO, **fields}
    assert BY_PATH["/v1/messages"].parse(b"", body).bypass == reason
