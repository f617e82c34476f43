"""What counts as the text that a request asks with: the last user message's, and only if it is text alone."""

from typing import Any

import pytest

from sluice_sidecar.dialects.registry import BY_PATH

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
PATHS = ("/v1/chat/completions", "/v1/messages")


def part(text: Any) -> dict[str, Any]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "user", "content": "Hi"}], "Hi"),
        ([{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}], "Hi"),
        ([{"role": "user", "content": [part("Hi")]}], "Hi"),
        ([{"role": "user", "content": [part("A long document"), part("What is its date?")]}], "What is its date?"),
        ([{"role": "user", "content": ""}], ""),
        ([{"role": "user", "content": [part("Look"), IMAGE]}], None),
        ([{"role": "user", "content": [IMAGE, part("Look")]}], None),
        ([{"role": "user", "content": [part(5)]}], None),
        ([{"role": "user", "content": ["Hi"]}], None),
        ([{"role": "user", "content": []}], None),
        ([{"role": "user", "content": None}], None),
        ([{"role": "user"}], None),
        ([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], None),
        ([{"role": "user", "content": "Hi"}, {"role": "tool", "content": "21 C", "tool_call_id": "c"}], None),
    ],
)
def test_text_of_the_last_message(path: str, messages: list[dict[str, Any]], text: str | None) -> None:
    assert BY_PATH[path].parse(b"", {"model": "m", "messages": messages}).text == text
