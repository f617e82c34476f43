"""What an answer says, apart from how it is said: its kind, and a canonical core where it has one."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sluice_sidecar.cache.answers import code, label, structured
from sluice_sidecar.cache.answers.failure import is_failure
from sluice_sidecar.cache.answers.figures import FIGURE, quantity
from sluice_sidecar.cache.answers.wording import bare, essence, opened

AnswerKind = Literal["json", "code", "label", "number", "prose", "failure"]

KEPT = 16_384
"""Characters of an answer whose reading is worth keeping."""

LONGEST = 64
"""Most characters of a figure with its unit."""

_MARKED = re.compile(r"\\boxed\{([^{}\n]{1,64})\}|^####\s*(\S[^\n]{0,63})$", re.MULTILINE)
_LAST = re.compile(
    r"(?:(?:final )?answer(?: is|:)|(?<=\n)A:|\b(?:so|thus|therefore|hence)\b[^.\n]{0,120}?(?:\bis|\bare|=|:))\s*"
    rf"\**\s*((?:[$€£¥₹]\s?)?{FIGURE}\s?[^\W\d_]*[%$€£¥₹°]?)\**[.!]?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Gist:
    """One answer, read. Two answers of equal `kind` and `core` say the same."""

    kind: AnswerKind
    """"label": a short answer, one of a set. "failure": no answer at all, which equals nothing."""
    core: str | None
    """Canonical text; None for prose, which is compared by claims and meaning, and for a failure."""
    text: str
    """What is compared by meaning: the answer without what is said around it."""
    sure: bool = False
    """For a label: set apart by brackets or quotes, or an identifier, so that any difference counts."""


def gist(answer: str) -> Gist:
    """Reads an answer; the last ones are remembered. Times: docs/answers.md."""
    return _remembered(answer) if len(answer) <= KEPT else _read(answer)


@lru_cache(maxsize=1024)
def _remembered(answer: str) -> Gist:
    return _read(answer)


def _read(answer: str) -> Gist:
    text = answer.strip()
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair can neither be stored nor embedded
    if is_failure(text):
        return Gist("failure", None, text)
    parsed = structured.read(text)
    if parsed is not None:
        return Gist("json", parsed, text)
    said = code.read(text)
    if said is not None:
        return Gist("code", said, text)
    return _figure(text) or _label(text) or Gist("prose", None, essence(text) or text)


def _figure(text: str) -> Gist | None:
    """The figure that an answer is or ends in. A whole number alone may be a class (a rating): that is a label."""
    alone = bare(opened(text.strip(" *")))[0] if len(text) <= 3 * LONGEST else ""
    found = quantity(alone) if alone else None
    if found is not None:
        whole = not found.unit and found.value == found.value.to_integral_value()
        return Gist("label" if whole else "number", str(found), alone, sure=whole)
    marked = _MARKED.search(text) or (_LAST.search(text, max(0, len(text) - 240)) if "=" in text else None)
    if marked is None:
        return None
    said = next(group for group in marked.groups() if group)
    found = quantity(bare(said)[0])
    return None if found is None else Gist("number", str(found), said)


def _label(text: str) -> Gist | None:
    found = label.read(text)
    return None if found is None else Gist("label", found[0], text, sure=found[1])
