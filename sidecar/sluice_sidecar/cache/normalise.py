"""Which differences between two texts never change the answer: very few, on purpose."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import regex

PATIENCE = 0.05
"""Seconds that one `ignore` expression may take on one text; past it the text stays as it is, which costs a hit."""


def normalised(text: str) -> str:
    """`text` in Unicode NFC, with LF line ends, no white space at its end and no empty lines at its beginning.

    Everything inside stays: indentation, double spaces, case and punctuation can all carry meaning (code, tables,
    "how many spaces ..."). Spaces before the first word go only when the text is one line: in a block of code they
    are the first line's indentation. Idempotent.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.rstrip()
    bare = text.lstrip()
    if "\n" not in bare:
        return bare
    start = len(text) - len(bare)
    return text[text.rfind("\n", 0, start) + 1 :] if start else text


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> "tuple[regex.Pattern[str], ...]":
    import regex  # 40 ms to import, and few policies need it

    return tuple(regex.compile(pattern) for pattern in patterns)


def check(patterns: Sequence[str]) -> None:
    """Raises ValueError for an expression that is malformed."""
    for pattern in patterns:
        try:
            _compiled((pattern,))
        except Exception as error:  # regex.error, which is no ValueError and not worth its import here
            raise ValueError(f"ignore expression {pattern!r}: {error}") from None


def without(text: str, patterns: Sequence[str]) -> str:
    """`text` without what the policy's `ignore` expressions match. Raises `regex.error` for a malformed expression."""
    for pattern in _compiled(tuple(patterns)):
        try:
            text = pattern.sub("", text, timeout=PATIENCE)
        except TimeoutError:
            continue
    return text


def pruned(value: Any, patterns: Sequence[str]) -> Any:
    """A JSON value with `without` applied to every string in it; keys stay."""
    if isinstance(value, str):
        return without(value, patterns)
    if isinstance(value, dict):
        return {key: pruned(inner, patterns) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [pruned(inner, patterns) for inner in value]
    return value
