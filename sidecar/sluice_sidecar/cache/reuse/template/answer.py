"""An answer as paths to scalars and tables, and back; and as text in the manner of earlier answers."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sluice_sidecar.cache.reuse.template.document import Label, folded, tokens_of
from sluice_sidecar.cache.reuse.template.leaf import MISSING, Standard, same

Path = tuple[str, ...]


class Outline(NamedTuple):
    """The shape that all answers of a layout share: scalars and tables by path, and their order."""

    leaves: tuple[Path, ...]
    tables: tuple[Path, ...]
    order: tuple[Path, ...]
    nullable: frozenset[Path]
    """Objects that are null as a whole where a document has none of their values."""


def outline(answers: Sequence[Any]) -> Outline | None:
    """None when they are no objects or say nothing, when a list holds lists, or when a path is a scalar in one answer
    and not in another."""
    kinds: dict[Path, str] = {}
    for answer in answers:
        if not isinstance(answer, dict):
            return None
        for path, kind in _kinds(answer, ()):
            if kind == "odd":
                return None
            if kinds.setdefault(path, kind) not in {kind, "null"}:
                if kind != "null":
                    return None
            elif kind != "null":
                kinds[path] = kind
    if set(kinds.values()) <= {"null"}:
        return None
    parents = {path[:size] for path in kinds for size in range(1, len(path))}
    leaves = tuple(path for path, kind in kinds.items() if kind in {"scalar", "null"} and path not in parents)
    if any(kinds.get(parent) not in {None, "null"} for parent in parents):
        return None
    nullable = frozenset(parent for parent in parents if any(at(answer, parent) is None for answer in answers))
    tables = tuple(path for path, kind in kinds.items() if kind == "table")
    order = tuple(path for path in _merged(answers) if path not in parents)
    return Outline(leaves, tables, order, nullable)


def _kinds(value: Any, path: Path) -> list[tuple[Path, str]]:
    if isinstance(value, dict) and value:
        return [found for key, inner in value.items() for found in _kinds(inner, (*path, key))]
    if isinstance(value, list):
        return [(path, "table" if all(_is_row(item) for item in value) else "odd")]
    if isinstance(value, dict):
        return [(path, "odd")]
    return [(path, "null" if value is None else "scalar")]


def _is_row(item: Any) -> bool:
    """A scalar, or an object of scalars."""
    if isinstance(item, dict):
        return bool(item) and all(_is_row(inner) for inner in item.values())
    return not isinstance(item, list)


def _merged(answers: Sequence[Any]) -> list[Path]:
    """Every path once, each after the one that it follows in an answer."""
    order: list[Path] = []
    for answer in answers:
        place = 0
        for path, _ in _kinds(answer, ()):
            if path in order:
                place = order.index(path) + 1
            else:
                order.insert(place, path)
                place += 1
    return order


def at(answer: Any, path: Path) -> Any:
    """The value at a path, MISSING if there is no such key."""
    for key in path:
        if answer is None:
            return None
        if not isinstance(answer, dict) or key not in answer:
            return MISSING
        answer = answer[key]
    return answer


def build(values: dict[Path, Any], order: Sequence[Path], nullable: Iterable[Path] = ()) -> dict[str, Any]:
    """The answer with these values, keys in this order; an object in `nullable` is null if all in it is."""
    for parent in sorted(nullable, key=len, reverse=True):
        inside = [path for path in order if path[: len(parent)] == parent]
        if inside and all(values.get(path) is None for path in inside):
            order = [parent if path == inside[0] else path for path in order if path not in inside[1:]]
            values = {**values, parent: None}
    answer: dict[str, Any] = {}
    for path in order:
        value = values.get(path, MISSING)
        if isinstance(value, str) and value == MISSING:
            continue
        inner = answer
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return answer


def said_in(answer: Any) -> set[Label]:
    """The texts of an answer and the lines of addresses in them, as labels are compared."""
    if isinstance(answer, dict | list):
        inner = answer.values() if isinstance(answer, dict) else answer
        return {label for one in inner for label in said_in(one)}
    if not isinstance(answer, str):
        return set()
    return {folded(tokens_of(line)) for line in re.split("\n|, ", answer)}


def lines_of(value: Any) -> Any:
    """A list of texts as one text, one a line; what is no list, or empty, as it is; None for any other list."""
    if isinstance(value, list) and value:
        return "\n".join(value) if all(isinstance(item, str) and "\n" not in item for item in value) else None
    return [] if isinstance(value, list) else Standard(value)


def equal(a: Any, b: Any) -> bool:
    """Equality of two answers, whatever the order of their keys; see `same` for scalars."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return same(a, b)


_FENCED = re.compile(r"\A(?P<head>.*?```[\w-]*[ \t]*\n)(?P<body>.*?)(?P<tail>\n?```.*)\Z", re.DOTALL)


def parse(text: str) -> Any:
    """The JSON of an answer text, with or without a code fence around it; ValueError if there is none."""
    fenced = _FENCED.match(text)
    return json.loads(fenced["body"] if fenced else text)


def serialise(answer: Any, like: str) -> str:
    """`answer` written as the answer text `like` is: key order, indentation, separators, escapes and code fence."""
    fenced = _FENCED.match(like)
    body = fenced["body"] if fenced else like
    ordered = _as(answer, json.loads(body))
    stripped = body.strip()
    indent = re.search(r"[\[{]\n([ \t]+)", stripped)
    item, key = ("," if indent else _separator(stripped, ",")), _separator(stripped, ":")
    text = json.dumps(
        ordered, indent=indent[1] if indent else None, separators=(item, key), ensure_ascii=_escaped(stripped)
    )
    lead, trail = body[: len(body) - len(body.lstrip())], body[len(body.rstrip()) :]
    text = lead + text + trail
    return fenced["head"] + text + fenced["tail"] if fenced else text


def _separator(body: str, sign: str) -> str:
    """The sign as it stands between two parts of `body`, with or without a space behind it."""
    found = re.search(
        rf'(?:"|\d|true|false|null|[}}\]])\s*{sign}(\s?)(?=["\d\-{{\[tfn])', re.sub(r'"(?:[^"\\]|\\.)*"', '""', body)
    )
    return sign + (found[1] if found else " ")


def _escaped(body: str) -> bool:
    """Whether characters beyond ASCII are written as escapes."""
    return body.isascii() and "\\u" in body


def _as(value: Any, like: Any) -> Any:
    """`value` with the keys in the order of `like`; keys that `like` lacks stay where they were, at the end."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [key for key in like if key in value]
        shared = iter(keys)
        ordered = [next(shared) if key in like else key for key in value]
        return {key: _as(value[key], like.get(key)) for key in ordered}
    if isinstance(value, list) and isinstance(like, list) and like:
        return [_as(item, like[min(place, len(like) - 1)]) for place, item in enumerate(value)]
    return value
