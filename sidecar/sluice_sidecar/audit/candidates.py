"""What an audit may take out of a prompt: whole sections, and safe compressions of what stays. Pure."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sluice_sidecar.audit.model import Prompt


@dataclass(frozen=True, slots=True)
class Cut:
    """A place of a text and what stands there instead."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that may go: a section, or what a compression takes out of whatever else stays."""

    id: str
    title: str
    kind: str
    start: int
    end: int


SENTENCE = 24
"""Characters from which on a sentence that stands in the prompt twice is a repetition."""

_SCHEMA = re.compile(r"(```json[^\n]*\n)(.*?)(\n[ \t]*```)", re.DOTALL)
_BLANK = re.compile(r"[ \t]+(?=\n)|\n{3,}|(?<=[^\s|.:])[ \t]{2,}(?=[^\s|])")
_SENTENCE = re.compile(r"[^\s.!?\n][^.!?\n]*[.!?](?=\s|$)")
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.DOTALL | re.MULTILINE)


def candidates(prompt: Prompt) -> tuple[Candidate, ...]:
    """Its sections in order, then compressions. A section that is the whole prompt is none."""
    parts = prompt.sections if len(prompt.sections) > 1 else ()
    return (
        *(Candidate(part.id, part.title, part.kind, part.start, part.end) for part in parts),
        *(
            Candidate(name, title, "compression", 0, len(prompt.text))
            for name, (title, cuts) in COMPRESSIONS.items()
            if next(cuts(prompt.text), None) is not None
        ),
    )


def without(prompt: Prompt, gone: Collection[Candidate]) -> str:
    """The prompt without what goes. Compressions work on what the sections that go have left."""
    names = {one.id for one in gone}
    sections = [Cut(one.start, one.end) for one in gone if one.id not in COMPRESSIONS]
    text = _applied(prompt.text, sections)
    for name, (_, cuts) in COMPRESSIONS.items():
        if name in names:
            text = _applied(text, cuts(text))
    return (text.rstrip() or text) if gone else text


def _applied(text: str, cuts: Iterable[Cut]) -> str:
    parts, at = [], 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        parts += [text[at : cut.start], cut.text]
        at = cut.end
    return "".join([*parts, text[at:]])


def _repeated(text: str) -> Iterator[Cut]:
    seen: set[str] = set()
    fences = [found.span() for found in _FENCED.finditer(text)]
    for found in _SENTENCE.finditer(text):
        if _inside(found.start(), fences):
            continue
        said = " ".join(found[0].split()).lower()
        if len(said) >= SENTENCE and said in seen:
            end = found.end() + (1 if text[found.end() : found.end() + 1] == " " else 0)
            yield Cut(found.start(), end)
        seen.add(said)


def _schemas(text: str) -> Iterator[Cut]:
    for found in _SCHEMA.finditer(text):
        try:
            short = json.dumps(json.loads(found[2]), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            continue
        if len(short) < len(found[2]):
            yield Cut(found.start(2), found.end(2), short)


def _blank(text: str) -> Iterator[Cut]:
    fences = [found.span() for found in _FENCED.finditer(text)]
    for found in _BLANK.finditer(text):
        if not _inside(found.start(), fences):
            short = "\n\n" if found[0].startswith("\n") else "" if text[found.end()] == "\n" else " "
            yield Cut(found.start(), found.end(), short)


def _inside(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


COMPRESSIONS: dict[str, tuple[str, Callable[[str], Iterator[Cut]]]] = {
    "repeated-sentences": ("sentences that stand there twice", _repeated),
    "compact-json": ("spaces in JSON blocks", _schemas),
    "white-space": ("spare white space", _blank),
}
"""What says the same in fewer characters: name -> what it is, and the cuts that it makes in a text."""
