"""The system prompts of a request, and the same request with others. Pure.

Every system or developer message, and every text block of one, is a prompt of its own: applications put what stays and
what changes (a date, a customer) into different ones.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from sluice_sidecar.ask import Ask, Problem
from sluice_sidecar.dialects.slot import text_of

SYSTEM = ("system", "developer")
"""Roles whose messages are prompts, where the dialect has no field of its own for them."""


def prompts(ask: Ask) -> tuple[str, ...]:
    """The texts of its system prompts in order, none that is empty."""
    if ask.dialect.family == "anthropic":
        return tuple(_content(ask.body.get("system")))
    if not ask.dialect.streams:  # embeddings have no messages
        return ()
    found: list[str] = []
    for message in ask.body.get("messages", ()):
        if message["role"] in SYSTEM:
            found += _content(message.get("content"))
    return tuple(found)


def followed(ask: Ask) -> list[dict[str, Any]]:
    """Its messages without the prompts."""
    messages: list[dict[str, Any]] = ask.body.get("messages", [])
    if ask.dialect.family == "anthropic":
        return messages
    return [message for message in messages if message["role"] not in SYSTEM]


def with_prompts(ask: Ask, texts: Sequence[str]) -> Ask:
    """The request with these in place of `prompts(ask)`, one for one; `ask` itself where they are equal.

    Every other byte stays as it was sent where a prompt's place in the body is certain. A prompt that becomes "" goes
    with its message or block. Raises Problem(400) for nesting too deep to be written again.
    """
    changed = [(old, new) for old, new in zip(prompts(ask), texts, strict=True) if old != new]
    if not changed:
        return ask
    anthropic = ask.dialect.family == "anthropic"
    body = _renewed(ask.body, texts, anthropic)
    raw = _cut_in(ask.raw, changed)
    if raw is None or orjson.loads(raw) != body:
        try:  # by the standard library: it keeps integers beyond 64 bits
            raw = json.dumps(
                _renewed(json.loads(ask.raw), texts, anthropic), ensure_ascii=False, separators=(",", ":")
            ).encode()
        except RecursionError:
            raise Problem(
                400, "nesting_too_deep", "The request body is nested too deeply: send at most 250 levels."
            ) from None
    return replace(ask, raw=raw, body=body)


def _content(content: Any) -> list[str]:
    if type(content) is str:
        return [content] if content else []
    return [text for text in map(text_of, content) if text] if type(content) is list else []


def _renewed(body: dict[str, Any], texts: Sequence[str], anthropic: bool) -> dict[str, Any]:
    after = iter(texts)
    if anthropic:
        system = _said(body["system"], after)
        return {**body, "system": system} if system else {key: body[key] for key in body if key != "system"}
    messages = []
    for message in body["messages"]:
        if message["role"] in SYSTEM and _content(message.get("content")):
            content = _said(message["content"], after)
            if not content:
                continue
            message = {**message, "content": content}
        messages.append(message)
    return {**body, "messages": messages}


def _said(content: Any, after: Iterator[str]) -> Any:
    """Content that says the next of these texts in each place that says something."""
    if type(content) is str:
        return next(after)
    parts = [{**part, "text": next(after)} if text_of(part) else part for part in content]
    return [part for part, old in zip(parts, content, strict=True) if part.get("text") or not text_of(old)]


_SPELLINGS: tuple[Callable[[str], bytes], ...] = (orjson.dumps, lambda text: json.dumps(text).encode())
"""How clients write a text: in UTF-8, or with everything beyond ASCII escaped."""


def _cut_in(raw: bytes, changed: Sequence[tuple[str, str]]) -> bytes | None:
    """The body with each text replaced where it stands; None where one is not there, or more than once."""
    for old, new in changed:
        spell = next((spell for spell in _SPELLINGS if raw.count(spell(old)) == 1), None)
        if spell is None:
            return None
        raw = raw.replace(spell(old), spell(new))
    return raw
