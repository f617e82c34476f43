"""The text that a request asks with: what the cache compares by meaning, everything else exactly."""

from typing import Any, Final

SLOT: Final = {"slot": "text"}
"""Stands for that text in a skeleton. No string, so no text that a caller sends is equal to it."""


def asked_text(last: dict[str, Any]) -> str | None:
    """The text of a last message that is the user's and text alone: its string, or the last of its text parts."""
    if last["role"] != "user":
        return None
    content = last.get("content")
    if type(content) is str:
        return content
    if type(content) is not list:
        return None
    text = None
    for part in content:
        text = text_of(part)
        if text is None:
            return None
    return text


def text_of(part: Any) -> str | None:
    """The text of a text part; None for any other."""
    if type(part) is dict and part.get("type") == "text":
        text = part.get("text")
        return text if type(text) is str else None
    return None
