"""Short answers, each one of a set: classes, names, yes and no."""

import re

from sluice_sidecar.cache.answers.claims import NO, YES
from sluice_sidecar.cache.answers.figures import folded
from sluice_sidecar.cache.answers.wording import bare, canonical, opened
from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.grammar import stem

LONGEST = 80
"""Most characters of a label."""
WORDS = 3
"""Most words of a label that nothing sets apart; with brackets or quotes around it, it may have more."""
APART_WORDS = 8

_EXPLAINED = re.compile(
    r"(?:category|label|class|classification|intent|sentiment|answer|topic)\s*[:=]\s*([^\n]{1,80})\n+\W*"
    r"(?:reason(?:ing)?|explanation|rationale|justification|because)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_IDENTIFIER = re.compile(r"[\w.:/#-]*(?:_|\d)[\w.:/#-]*")


def read(text: str) -> tuple[str, bool] | None:
    """The canonical label that an answer is, and whether it is a name for sure: an identifier, or set apart.

    None where the answer is no label.
    """
    explained = _EXPLAINED.fullmatch(text) if "\n" in text else None
    text = explained[1] if explained else text
    if len(text) > 3 * LONGEST or "\n" in text:
        return None
    said, apart = bare(opened(text.strip(" *")))
    words = len(said.split())
    if not said or len(said) > LONGEST or words > (APART_WORDS if apart else WORDS):
        return None
    return canonical(said), apart or _IDENTIFIER.fullmatch(said) is not None


def same(a: str, b: str, *, sure: bool) -> bool | None:
    """Compares two labels; `sure`: they are names of a set, so that any difference counts."""
    if a == b:
        return True
    if _spelled(a, b):
        return True
    mine, theirs = a.split(), b.split()
    if sure:
        return False
    if {a, b} <= YES or {a, b} <= NO:
        return None
    if set(mine) < set(theirs) or set(theirs) < set(mine):
        more = set(mine) ^ set(theirs)
        return False if not lex.NEGATIONS.isdisjoint(more) or "un" in more else None
    if _stems(mine) == _stems(theirs) or _initials(mine, theirs):
        return None
    return False


def _spelled(a: str, b: str) -> bool:
    """Whether accents, blanks, points and apostrophes alone make the difference ("J. K." and "JK")."""
    plain = all(char.isalpha() or char in " .-'_," for char in a + b)
    return plain and folded(a) == folded(b) != ""


def _stems(words: list[str]) -> set[str]:
    known = {stem(lex.SYNONYMS.get(word, word)) for word in words}
    return known - {stem(word) for word in lex.FILLERS} or known


def _initials(mine: list[str], theirs: list[str]) -> bool:
    """Whether one is the other's abbreviation: "nyc", or "a. einstein"."""
    short, long = sorted((mine, theirs), key=lambda words: len("".join(words)))
    letters = "".join(short).replace(".", "")
    if len(short) == 1 and len(long) > 1 and letters == "".join(word[0] for word in long):
        return True
    return len(short) == len(long) > 1 and all(
        x == y or (len(x.rstrip(".")) == 1 and x.rstrip(".").isalpha() and y[0] == x[0])
        for x, y in zip(short, long, strict=True)
    )
