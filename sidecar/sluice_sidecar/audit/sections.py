"""A prompt in sections: by the author's markers, else Markdown headings, XML elements, examples and paragraphs. Pure.

A line `<!-- section: NAME -->` or `[[section: NAME]]` begins a section; where a prompt has one, nothing else counts.
Lines inside a code fence are never structure.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from sluice_sidecar.audit.model import Kind, Prompt, Section, digest

LONG = 1_200
"""Characters from which on what stands under one heading or in one element is divided at its blank lines."""
SHORT = 160
"""Characters below which a paragraph of such a division stays with the one before it."""
MOST = 120
"""Sections of one prompt: beyond it short neighbours are put together."""

_MARKER = re.compile(r"\s*(?:<!--\s*section:\s*(\S.*?)\s*-->|\[\[\s*section:\s*(\S.*?)\s*\]\])\s*")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*?)[ \t]*#*[ \t]*")
_OPENS = re.compile(r"[ \t]*<([A-Za-z][\w.-]{0,63})(?:\s[^<>]{0,200})?>")
_EXAMPLE = re.compile(r"[#*_>\s]*(?:few-?shot )?(?:example|sample)\s*(?:#?\d+|[A-Z])?\s*[:.)*_-]", re.IGNORECASE)
_TURN = re.compile(r"[*_>\s]*(?:user|input|question|q|human|customer)[*_]*\s*:", re.IGNORECASE)
_REPLY = re.compile(r"[*_>\s]*(?:assistant|output|answer|a|agent|ai|response|label)[*_]*\s*:", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][\w.-]{0,63})(?:\s[^<>]{0,200})?>")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    fenced: bool

    @property
    def blank(self) -> bool:
        return not self.fenced and not self.text.strip()


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: Kind
    title: str
    first: int
    """Its first line."""
    last: int
    """The line behind its last one."""


def prompt(text: str) -> Prompt:
    """A system prompt with its sections."""
    return Prompt(digest(text), text, sections(text))


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a prompt in order, none for an empty one; they tile it."""
    lines = list(_lines(text))
    if not lines:
        return ()
    if any(_marker(line) for line in lines):
        pieces = _cut(lines, [(n, "marker", name) for n, line in enumerate(lines) if (name := _marker(line))])
    else:
        pieces = [part for piece in _structure(lines) for part in _divided(piece, lines)]
    return _named(_fewer(pieces, lines), lines, text)


def _lines(text: str) -> Iterator[_Line]:
    at, fence = 0, ""
    for raw in text.splitlines(keepends=True):
        found, inside = _FENCE.match(raw), bool(fence)
        if found and not fence:
            fence, inside = found[1], True
        elif found and found[1].startswith(fence):
            fence = ""
        yield _Line(at, at + len(raw), raw.rstrip(), inside)
        at += len(raw)


def _marker(line: _Line) -> str:
    found = None if line.fenced else _MARKER.fullmatch(line.text)
    return "" if found is None else found[1] or found[2]


def _cut(lines: Sequence[_Line], starts: Sequence[tuple[int, Kind, str]]) -> list[_Piece]:
    """Pieces that begin at these lines; what stands before the first one is a paragraph."""
    begins = list(starts) if starts and starts[0][0] == 0 else [(0, "paragraph", ""), *starts]
    ends = [first for first, _, _ in begins[1:]] + [len(lines)]
    return [_Piece(kind, title, first, last) for (first, kind, title), last in zip(begins, ends, strict=True)]


def _structure(lines: Sequence[_Line]) -> list[_Piece]:
    starts: list[tuple[int, Kind, str]] = []
    elements = _elements(lines)
    n, free = 0, True  # free: the next text begins a section of its own
    while n < len(lines):
        line = lines[n]
        end = n + 1
        if line.fenced or line.blank:
            free = free or (line.blank and bool(starts) and starts[-1][1] == "paragraph")
        elif found := _HEADING.fullmatch(line.text):
            starts.append((n, "example" if _EXAMPLE.match(line.text + ":") else "heading", found[1]))
            free = False
        elif (close := elements.get(n)) is not None:
            tag = _OPENS.match(line.text)
            starts.append((n, "example" if tag and "example" in tag[1].lower() else "element", line.text.strip()))
            end, free = close, True
        elif _EXAMPLE.match(line.text) or (_TURN.match(line.text) and _answered(lines, n)):
            starts.append((n, "example", line.text.strip()))
            end, free = _example_end(lines, n), True
        elif free:
            starts.append((n, "paragraph", line.text.strip()))
            free = False
        n = end
    return _cut(lines, starts)


def _elements(lines: Sequence[_Line]) -> dict[int, int]:
    """For each line that opens an element which stands alone in its lines: the line behind its end."""
    opened: dict[str, list[int]] = {}
    found: dict[int, int] = {}
    for n, line in enumerate(lines):
        if line.fenced or "<" not in line.text:
            continue
        first = _OPENS.match(line.text)
        for tag in _TAG.finditer(line.text):
            stack = opened.setdefault(tag[2], [])
            if not tag[1]:
                stack.append(n if first is not None and tag.end() == first.end() else -1)
            elif stack and (start := stack.pop()) >= 0 and not line.text[tag.end() :].strip():
                found[start] = n + 1
    return found


def _answered(lines: Sequence[_Line], n: int) -> bool:
    """Whether the turn in line n has a reply before the next blank pair of lines."""
    for line in lines[n + 1 : n + 30]:
        if _REPLY.match(line.text):
            return True
        if _TURN.match(line.text) or _HEADING.fullmatch(line.text):
            return False
    return False


def _example_end(lines: Sequence[_Line], n: int) -> int:
    """The line behind an example: at a blank line after which neither a turn nor a reply goes on, or at structure."""
    replied = bool(_REPLY.match(lines[n].text))
    for at in range(n + 1, len(lines)):
        line = lines[at]
        if line.fenced or line.blank:
            continue
        if _HEADING.fullmatch(line.text) or _EXAMPLE.match(line.text) or _OPENS.match(line.text):
            return at
        if _TURN.match(line.text):
            if replied:
                return at
        elif _REPLY.match(line.text):
            replied = True
        elif lines[at - 1].blank and (replied or not _coming(lines, at)):
            return at
    return len(lines)


def _coming(lines: Sequence[_Line], n: int) -> bool:
    return any(_TURN.match(line.text) or _REPLY.match(line.text) for line in lines[n : n + 4])


def _divided(piece: _Piece, lines: Sequence[_Line]) -> list[_Piece]:
    """A long piece at its blank lines; an example stays whole."""
    if piece.kind == "example" or _length(piece, lines) <= LONG:
        return [piece]
    starts, since = [piece.first], 0
    for n in range(piece.first + 1, piece.last):
        since = lines[n].start - lines[starts[-1]].start
        if not lines[n].blank and lines[n - 1].blank and since >= SHORT:
            starts.append(n)
    if len(starts) > 1 and lines[piece.last - 1].end - lines[starts[-1]].start < SHORT:
        starts.pop()
    ends = [*starts[1:], piece.last]
    parts = [
        _Piece("paragraph", lines[first].text.strip(), first, last) for first, last in zip(starts, ends, strict=True)
    ]
    return [replace(parts[0], kind=piece.kind, title=piece.title), *parts[1:]]


def _fewer(pieces: Sequence[_Piece], lines: Sequence[_Line]) -> list[_Piece]:
    """At most MOST pieces, short neighbours put together."""
    if len(pieces) <= MOST:
        return list(pieces)
    enough = lines[-1].end / (MOST - 1)
    kept: list[_Piece] = []
    for piece in pieces:
        if kept and _length(kept[-1], lines) < enough:
            kept[-1] = replace(kept[-1], last=piece.last)
        else:
            kept.append(piece)
    return kept


def _length(piece: _Piece, lines: Sequence[_Line]) -> int:
    return lines[piece.last - 1].end - lines[piece.first].start


def _named(pieces: Sequence[_Piece], lines: Sequence[_Line], text: str) -> tuple[Section, ...]:
    seen: Counter[str] = Counter()
    named = []
    for piece in pieces:
        start, end = lines[piece.first].start, lines[piece.last - 1].end
        part = text[start:end]
        short = sha256(_SPACE.sub(" ", part).strip().encode("utf-8", "surrogatepass")).hexdigest()[:12]
        seen[short] += 1
        name = short if seen[short] == 1 else f"{short}-{seen[short]}"
        title = piece.title or _SPACE.sub(" ", part).strip()
        named.append(Section(name, piece.kind, title[:60].strip(), start, end, digest(part)))
    return tuple(named)
