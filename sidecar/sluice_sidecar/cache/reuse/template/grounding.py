"""Where a value of an answer stands in a document, in whatever form the document writes it."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sluice_sidecar.cache.reuse.template.document import Document, tokens_of
from sluice_sidecar.cache.reuse.template.span import FORMS, Reader, Text, Typed, block, single_spaced
from sluice_sidecar.cache.reuse.template.values import CODES, LONGEST, STYLES, NumberAt

MOST = 24
"""Places of one value that are considered; a value that stands in more is too common to learn from."""
GREATEST = 1e15
"""Numbers from here on are not told apart exactly, and no document's amounts."""
ISO = re.compile(r"\d{4}-\d\d-\d\d")
PLAIN = re.compile(r"-?\d+(\.\d+)?")
_AMOUNT = re.compile(r"\d[\d.,'’ \u00a0\u2009\u202f]*\d|\d")
JOINS = (", ", "\n", " ")

Place = tuple[int, int, list[Reader]]
"""Tokens [lo, hi) that hold a value, and what would read it from there or from before in its cell."""


def places(document: Document, value: Any) -> list[Place]:
    """Where `value` may stand: the first few places."""
    key = type(value).__name__, value
    found = document.places.get(key)
    if found is None:
        found = document.places[key] = list(islice(_places(document, value), MOST))
    return found


def stands(document: Document, value: Any) -> bool:
    """Whether every number and text of an answer is found in its document."""
    if isinstance(value, dict):
        return all(stands(document, inner) for inner in value.values())
    if isinstance(value, list):
        return all(stands(document, inner) for inner in value)
    if value is None or value == "" or places(document, value):
        return True
    # A long text may be wrapped.
    return isinstance(value, str) and all(token in document.index for token in tokens_of(value) if token[0].isalnum())


def _places(document: Document, value: Any) -> Iterator[Place]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        if not abs(value) < GREATEST:
            return
        yield from _numbers(document, "number", document.by_value.get(round(value, 6), ()))
        if value > 0:
            yield from _numbers(document, "magnitude", document.by_value.get(round(-value, 6), ()))
        if 0 < abs(value) < 1:
            yield from _numbers(document, "percent", document.by_value.get(round(value * 100, 6), ()))
        return
    if not isinstance(value, str) or not value.strip():
        return
    if ISO.fullmatch(value):
        for date in document.dates:
            orders = [order for order, day in date.iso.items() if day == value]
            if orders:
                readers = [r for order in orders for r in _typed("date", order)]
                yield document.at_start[date.start], document.after(date.end), readers
    elif value in CODES:
        for mark in document.marks[:40]:
            if mark.code == value:
                yield document.at_start[mark.start], document.after(mark.end), _typed("mark", "")
    elif PLAIN.fullmatch(value):
        equal = document.by_value.get(round(float(value), 6), ())
        yield from _numbers(document, "plain", [(style, number) for style, number in equal if number.plain == value])
        equal = document.by_value.get(round(-float(value), 6), ())
        below = [(style, number) for style, number in equal if number.plain == f"-{value}"]
        yield from _numbers(document, "unsigned", below)
    if value[0].isdigit() and len(value) <= LONGEST and _AMOUNT.fullmatch(value):
        for style in STYLES:
            here = [number for number in document.numbers(style) if document.text[number.start : number.end] == value]
            yield from _numbers(document, "written", [(style, number) for number in here])
    elif any(char.isdigit() for char in value) and len(value) <= LONGEST:
        for date in document.dates:
            if document.text[date.start : date.end] == value:
                yield document.at_start[date.start], document.after(date.end), _typed("dated", "")
    yield from _texts(document, value)


@lru_cache(maxsize=64)
def _typed(kind: str, mode: str) -> list[Reader]:
    return [Typed(kind, mode, whole_line, last) for whole_line in (False, True) for last in (False, True)]


def _numbers(document: Document, kind: str, equal: Sequence[tuple[str, NumberAt]]) -> Iterator[Place]:
    found: dict[tuple[int, int], list[Reader]] = {}
    for style, number in equal:
        found.setdefault((number.start, number.end), []).extend(_typed(kind, style))
    for (start, end), readers in found.items():
        yield document.at_start[start], document.after(end), readers


def _texts(document: Document, value: str) -> Iterator[Place]:
    for form, spelled in _spellings(value):
        tokens = tokens_of(spelled)
        first = tokens_of(spelled.split("\n")[0].split(", ")[0])[:3]
        if not tokens or not first:
            continue
        for at in document.occurrences(first)[:MOST]:
            hi = at + len(tokens)
            one_line = tuple(document.tokens[at:hi]) == tokens and document.row_of[at] == document.row_of[hi - 1]
            if one_line and FORMS[form](single_spaced(document.raw(at, hi))) == value:
                yield at, hi, _extents(document, at, hi, form)
                continue
            yield from _blocks(document, at, form, value)


def _spellings(value: str) -> Iterator[tuple[str, str]]:
    yield "plain", value
    if "\n" in value:
        yield "lines", value.replace("\n", ", ")
    for form, others in (
        ("upper", (value.lower(), value.title(), value.capitalize())),
        ("lower", (value.upper(), value.title(), value.capitalize())),
        ("title", (value.upper(), value.lower())),
        ("slug", (value.replace("_", " ").upper(), value.replace("_", " ").title(), value.replace("_", " "))),
    ):
        if FORMS[form](value) == value:
            yield from ((form, other) for other in others if other != value)


def _extents(document: Document, lo: int, hi: int, form: str) -> list[Reader]:
    cell = document.cell(lo)
    words = len(document.words(lo, hi))
    found: list[Reader] = []
    if hi == cell.hi:
        found.append(Text("cell", form))
        found.append(Text("last", form, size=words))
        if lo == cell.lo and form == "plain":
            found += [Text("block", form, stop=join) for join in JOINS]
    if hi == document.row_end(lo):
        found.append(Text("line", form))
    if hi < cell.hi:
        found.append(Text("until", form, stop=document.tokens[hi]))
        if not document.glued(hi):
            behind = len(document.words(hi, cell.hi))
            found.append(Text("but", form, size=behind))
            found.append(Text("last", form, size=words, skip=behind))
    if hi == cell.hi or not document.glued(hi):
        found.append(Text("words", form, size=words))
    return found


def _blocks(document: Document, at: int, form: str, value: str) -> Iterator[Place]:
    lines = block(document, at)
    for join in JOINS:
        if join.strip(" ") and join not in value:
            continue
        for size in range(2, len(lines) + 1):
            reader = Text("block", form, size=size, stop=join)
            read = reader.read(document, at)
            if read is not None and read.value == value:
                yield at, read.hi, [reader, Text("block", form, stop=join)]
                return
