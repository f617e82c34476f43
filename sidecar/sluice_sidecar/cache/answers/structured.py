"""Answers in JSON: read to a canonical form, compared field by field."""

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

from sluice_sidecar.cache.answers.dates import SLASHED, dated
from sluice_sidecar.cache.answers.figures import plain, quantity

AROUND = 240
"""Most characters of talk before and after an object that is the answer."""
PROSE = 5
"""Words from which on a string is a sentence that may be worded differently."""

_FENCED = re.compile(r"```[ \t]*(?:json[c5]?|JSON)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_PLAIN = re.compile(r"[+-]?(?:0|[1-9]\d*)(?:\.\d+)?|[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_ENUM = re.compile(r"[A-Za-z][A-Za-z_-]*")


def read(text: str) -> str | None:
    """The canonical form of the object or array that an answer is, else None. Keys sorted, scalars as text, ASCII.

    `[word]` and `[12]` are labels in brackets rather than arrays.
    """
    if "{" not in text and "[" not in text:
        return None
    fences = _FENCED.findall(text) if "```" in text else []
    if len(fences) > 1 or ("```" in text and not fences):
        return None
    body = fences[0].strip() if fences else _found(text)
    if not body or body[0] not in "{[":
        return None
    try:
        value = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
        if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], dict | list | str):
            return None
        return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None


def same(a: str, b: str) -> bool | None:
    """Compares two canonical forms. None: they differ only in what may be worded or left out either way."""
    if a == b:
        return True
    try:
        return _same(json.loads(a), json.loads(b))
    except RecursionError:
        return None


def _found(text: str) -> str:
    """The text from its first to its last bracket, if little is said around it."""
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    first, last = min(starts), max(text.rfind("}"), text.rfind("]"))
    if text[:first].rstrip(" \t")[-1:] not in {"", ":", "\n"}:
        return ""  # part of a sentence
    return text[first : last + 1] if first <= AROUND and len(text) - last <= AROUND else ""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _scalar(value) if isinstance(value, str) else value


def _scalar(text: str) -> str:
    """A string as what it says: "2.50" is 2.5, "5 January 2026" is 2026-01-05, "OPEN" is "open"."""
    text = " ".join(text.split())
    if _ENUM.fullmatch(text):
        return text.casefold()
    if not text or len(text) > 40 or not any(char.isdigit() for char in text):
        return text
    if _PLAIN.fullmatch(text):
        return plain(Decimal(text.replace(",", "")))
    day = dated(text)
    if day is not None:
        return day.isoformat()
    found = quantity(text)
    return text if found is None or not found.unit else str(found)


def _same(a: Any, b: Any) -> bool | None:
    if a == b:
        return True
    if a in _NOTHING and b in _NOTHING:
        return None
    if isinstance(a, dict) and isinstance(b, dict):
        one_only = [(a if key in a else b)[key] for key in a.keys() ^ b.keys()]
        left_out = [None if value in _NOTHING else False for value in one_only]
        return _all([*left_out, *(_same(a[key], b[key]) for key in a.keys() & b.keys())])
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return False
        if Counter(map(json.dumps, a)) == Counter(map(json.dumps, b)):
            return None  # another order: it may or may not matter
        return _all([_same(one, other) for one, other in zip(a, b, strict=True)])
    if isinstance(a, str) and isinstance(b, str):
        return _same_text(a, b)
    return False


def _same_text(a: str, b: str) -> bool | None:
    if a.casefold() == b.casefold():
        return True
    one, other = quantity(a), quantity(b)
    if one is not None and other is not None:
        return None if one.value == other.value and "" in (one.unit, other.unit) else False
    if SLASHED.fullmatch(a) or SLASHED.fullmatch(b):
        return None if sorted(map(int, re.findall(r"\d+", a))) == sorted(map(int, re.findall(r"\d+", b))) else False
    # Sentences are worded in many ways; names and codes are not.
    return None if len(a.split()) >= PROSE and len(b.split()) >= PROSE else False


def _all(told: list[bool | None]) -> bool | None:
    """Every part the same: yes; one part different: no; else it cannot be told."""
    if False in told:
        return False
    return None if None in told else True
