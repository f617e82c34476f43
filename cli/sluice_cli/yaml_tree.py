"""YAML and JSON text as plain data with line numbers, read as strictly as an API server's clients read it.

What kubectl would send is what comes out: YAML 1.1 without times and base-60 numbers, keys as text, merge keys.
Duplicate keys, unknown tags and numbers that JSON or 64 bits cannot hold are flaws. Aliases are followed, but what they
expand to is bounded, so a small file cannot become a large object.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 64
MAX_NODES = 100_000
"""Values in one file, with every alias counted as what it stands for."""

_TAG = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE|yes|Yes|YES|on|On|ON|y|Y")
_FALSE = re.compile(r"false|False|FALSE|no|No|NO|off|Off|OFF|n|N")
_INT = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the text: 1-based line, path within its document."""

    line: int
    path: str
    message: str


@dataclass(slots=True)
class Document:
    """One YAML document."""

    data: Any
    line: int
    """Where its first value stands."""
    lines: dict[str, int] = field(default_factory=dict)
    """Path (spec.backends[0].name) -> line of that key or list entry."""
    flaws: list[Flaw] = field(default_factory=list)

    def line_of(self, path: str) -> int:
        """The line of `path`, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = re.sub(r"(\.?[^.\[\]]+|\[[0-9]+\])$", "", path) if path[-1] != "." else path[:-1]
        return self.lines.get(path, self.line)


class _UnreadableError(Exception):
    """The rest of the file is not read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(line, "", message)


def documents(text: str) -> Iterator[Document]:
    """The documents of `text`, empty ones left out. What cannot be read ends the last one: data None, with its flaw."""
    try:
        yield from _Reader(text).documents()
    except _UnreadableError as refused:
        yield Document(None, refused.flaw.line, flaws=[refused.flaw])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        lines = text.splitlines() or [""]
        line = min(mark.line + 1 if mark else 1, len(lines))
        tab = "\t" in lines[line - 1]
        why = "a tab; YAML indents with spaces" if tab and "token" in str(error.problem) else str(error.problem)
        yield Document(None, line, flaws=[Flaw(line, "", f"not YAML: {why}")])
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        yield Document(None, line, flaws=[Flaw(line, "", f"not YAML: {error.reason}")])


@dataclass(slots=True)
class _Anchored:
    value: Any
    nodes: int


class _Reader:
    """Builds data from the parser's events, which need no memory of their own however the text nests."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._document = Document(None, 1)

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                first = next(self._events)
                self._anchors.clear()
                self._document = Document(None, first.start_mark.line + 1)
                self._document.data = self._value(first, "", 0)
                if self._document.data is not None or self._document.flaws:
                    yield self._document

    def _flaw(self, event: Any, path: str, message: str) -> None:
        self._document.flaws.append(Flaw(event.start_mark.line + 1, path, message))

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES} values, with every alias counted as what it stands for; split the file"
            raise _UnreadableError(event.start_mark.line + 1, message)

    def _value(self, event: Any, path: str, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise _UnreadableError(event.start_mark.line + 1, f"nested deeper than {MAX_DEPTH} levels")
        before = self._nodes
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(path, depth)
        else:
            value = self._mapping(path, depth)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, self._nodes - before + 1)
        return value

    def _alias(self, event: Any) -> Any:
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise _UnreadableError(line, f"not YAML: the alias *{event.anchor} has no anchor &{event.anchor} before it")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _UnreadableError(line, f"the alias *{event.anchor} stands inside what it stands for")
        self._count(event, anchored.nodes)
        return anchored.value

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            at = f"{path}[{len(items)}]"
            self._document.lines[at] = event.start_mark.line + 1
            items.append(self._value(event, at, depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        own: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = event.value if isinstance(event, yaml.ScalarEvent) else self._value(event, path, depth + 1)
            if not isinstance(key, str):
                raise _UnreadableError(event.start_mark.line + 1, "a key is not text")
            line = event.start_mark.line + 1
            at = f"{path}.{key}" if path else key
            if key in own:
                self._flaw(event, at, f'the key "{key}" is given twice, first in line {own[key]}')
            own[key] = line
            self._document.lines[at] = line
            value = self._value(next(self._events), at, depth + 1)
            if key == "<<" and event.implicit[0]:
                merged += value if isinstance(value, list) else [value]
            else:
                found[key] = value
        for other in merged:
            if not isinstance(other, dict):
                self._document.flaws.append(Flaw(own["<<"], path, "<< merges an object, or a list of objects"))
                continue
            for key, value in other.items():
                if key not in found:
                    found[key] = value
                    self._document.lines[f"{path}.{key}" if path else key] = own["<<"]
        return found

    def _scalar(self, event: Any, path: str) -> Any:
        text: str = event.value
        tag = event.tag.removeprefix(_TAG) if event.tag else None
        if tag in {"str", "!"} or (tag is None and not event.implicit[0]):
            return text
        if tag not in {None, "null", "bool", "int", "float"}:
            self._flaw(event, path, f"the tag {event.tag} is not known here; write plain values")
            return text
        if tag in {None, "null"} and _NULL.fullmatch(text):
            return None
        if tag in {None, "bool"} and (_TRUE.fullmatch(text) or _FALSE.fullmatch(text)):
            return _TRUE.fullmatch(text) is not None
        if tag in {None, "int"} and _INT.fullmatch(text):
            return self._integer(event, path, text)
        if tag in {None, "int", "float"} and _FLOAT.fullmatch(text):
            return self._float(event, path, float(text))
        if _SPECIAL_FLOAT.fullmatch(text):
            self._flaw(event, path, f"{text} is not a number that JSON has")
            return text
        if tag is not None:
            self._flaw(event, path, f'"{text}" is not of the type !!{tag}')
        return text

    def _integer(self, event: Any, path: str, text: str) -> int | str:
        digits = text.replace("_", "")
        octal = re.fullmatch(r"([-+]?)0o?([0-7]+)", digits)
        number = int(octal[1] + octal[2], 8) if octal else int(digits, 0)
        if not -(2**63) <= number < 2**63:
            self._flaw(event, path, f"{text[:40]} does not fit into 64 bits; write it with quotes")
            return text
        return number

    def _float(self, event: Any, path: str, number: float) -> float | None:
        if math.isinf(number):
            self._flaw(event, path, f"{event.value[:40]} is not a number that JSON has")
            return None
        return number
