"""Edits to top-level fields of a JSON object's text that leave every other byte as the caller wrote it.

Decoding and encoding a body again is not neutral: integers beyond 64 bits become floats, `0.10` becomes `0.1`, escapes
and spacing change. So a value is cut out and replaced in the text where its place is certain; only where it is not
(a repeated key, an escaped key, a nested value) the body is encoded anew.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from sluice_sidecar.ask import Ask, Problem

REMOVED: Final = object()
"""As a change's value: take the field out."""

_SCALAR = rb'"\s*:\s*("[^"\\]*"|true|false|null|-?[0-9][0-9.eE+-]*)'
_PATTERNS: dict[str, re.Pattern[bytes]] = {}
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
_BEYOND_64_BITS = re.compile(rb"[0-9]{19}")


def spliced(raw: bytes, body: Mapping[str, Any], changes: Mapping[str, Any]) -> bytes:
    """`raw` (the text of `body`) with top-level fields changed, added or, by REMOVED, taken out.

    `raw` itself when there is nothing to change. Of a repeated key the last value counts, as in `body`, and only that
    one is kept. Raises Problem(400) for nesting too deep to be written again.
    """
    if not changes:
        return raw
    # Where no ASCII letter is escaped a key can be written in one way only, so one occurrence is the field's own.
    if b"\\u00" in raw and _ESCAPED_LETTER.search(raw):
        return _rewritten(raw, body, changes)
    out, added = raw, b""
    for name, value in changes.items():
        if name not in body:
            if value is not REMOVED:
                added += b'"%b":%b,' % (name.encode(), orjson.dumps(value))
            continue
        place = None if value is REMOVED else _only_place(out, name)
        if place is None:
            return _rewritten(raw, body, changes)
        out = out[: place.start(1)] + orjson.dumps(value) + out[place.end(1) :]
    if added:
        start = out.index(b"{") + 1
        out = out[:start] + (added if body else added[:-1]) + out[start:]
    return out


def renamed(ask: Ask, model: str | None) -> dict[str, Any]:
    """The change that makes every reader of the body find `model`, by default the name that was let in.

    None is needed where the text already says so, once: of a key that is repeated or escaped, an upstream might take
    another value than we did.
    """
    raw, name = ask.raw, ask.model if model is None else model
    if name == ask.model and raw.count(b'"model"') == 1 and not (b"\\u00" in raw and _ESCAPED_LETTER.search(raw)):
        return {}
    return {"model": name}


def _only_place(text: bytes, name: str) -> re.Match[bytes] | None:
    """Where the field's scalar value (group 1) stands, if its key occurs once in all of the text."""
    pattern = _PATTERNS.get(name)
    if pattern is None:
        pattern = _PATTERNS[name] = re.compile(b'"' + re.escape(name.encode()) + _SCALAR)
    return pattern.search(text) if text.count(b'"%b"' % name.encode()) == 1 else None


def _rewritten(raw: bytes, body: Mapping[str, Any], changes: Mapping[str, Any]) -> bytes:
    """The slower way: encode again, by the standard library where an integer would not survive orjson."""
    try:
        if _BEYOND_64_BITS.search(raw):
            return json.dumps(
                _changed(json.loads(raw), changes), ensure_ascii=False, allow_nan=False, separators=(",", ":")
            ).encode()
        return orjson.dumps(_changed(body, changes))
    except (RecursionError, orjson.JSONEncodeError) as error:
        raise Problem(
            400, "nesting_too_deep", "The request body is nested too deeply: send at most 250 levels."
        ) from error


def _changed(body: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **changes}.items() if value is not REMOVED}
