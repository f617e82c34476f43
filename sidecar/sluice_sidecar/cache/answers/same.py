"""Whether two answers say the same. A doubt is None: nothing is learned from it."""

from collections.abc import Callable

from sluice_sidecar.cache.answers import claims, code, label, structured
from sluice_sidecar.cache.answers.figures import Quantity, quantity, readings, rounded
from sluice_sidecar.cache.answers.gist import Gist

ALIKE = 0.86
"""Cosine of two texts from which on they say the same, when no claim differs."""
EQUAL = 0.96
"""The same where a few words of one stand in the place of others."""
APART = 0.40
"""Cosine below which they do not, whatever they claim."""

LONGEST = 4_000
"""Characters of a text whose claims are read (two of this length: about 40 ms); a longer one is not compared."""

Judge = Callable[[str, str], bool | None]
"""Asked whether two answers say the same where nothing else can tell; None: it cannot either."""


def same(
    a: Gist, b: Gist, cosine: Callable[[], float] | None = None, judge: Judge | None = None
) -> bool | None:  # fmt: skip
    """Whether the two say the same; None: it cannot be told. Symmetric, and True of any answer and itself.

    `cosine` gives the similarity of the embeddings of the two `text`s and is asked for only where it is needed;
    `judge` only where that does not tell. A failure is no answer: it is never compared.
    """
    if "failure" in (a.kind, b.kind):
        return None
    if a.text == b.text or (a.kind == b.kind and a.core is not None and a.core == b.core):
        return True
    told = _exactly(a, b)
    if told is None and cosine is not None and not {a.kind, b.kind}.isdisjoint({"prose", "code"}):
        told = _nearly(a, b, cosine)
    return judge(a.text, b.text) if told is None and judge is not None else told


def _exactly(a: Gist, b: Gist) -> bool | None:
    """What the answers' cores and claims tell without an embedding."""
    kinds = {a.kind, b.kind}
    if a.core is not None and b.core is not None:
        if kinds <= {"label", "number"}:
            return _short(a, b)
        if a.kind == b.kind:
            return structured.same(a.core, b.core) if a.kind == "json" else code.same(a.core, b.core)
        return False if "json" in kinds else None
    if "json" in kinds:
        return False
    if "code" in kinds or max(len(a.text), len(b.text)) > LONGEST:
        return None
    return False if claims.compare(a.text, b.text).contradict else None


def _short(a: Gist, b: Gist) -> bool | None:
    """Two figures by value and unit, two labels by their words, a figure and a word: different."""
    assert a.core is not None
    assert b.core is not None
    one, other = quantity(a.core), quantity(b.core)
    if one is not None and other is not None:
        return _same_quantity(one, other)
    if one is None and other is None:
        return label.same(a.core, b.core, sure=a.sure or b.sure)
    word, figure = (a, one or other) if one is None else (b, one)
    assert figure is not None
    held = {part.strip(".,") for part in (word.core or "").split()}
    return None if str(figure).split()[0] in held else False


def _same_quantity(one: Quantity, other: Quantity) -> bool | None:
    if one.unit != other.unit and one.unit and other.unit:
        return False
    if one.unit == other.unit:
        return True if one.value == other.value else None if rounded(one.value, other.value) else False
    bare, measured = (one, other) if not one.unit else (other, one)
    return None if bare.value in readings(measured) else False


def _nearly(a: Gist, b: Gist, cosine: Callable[[], float]) -> bool | None:
    """What the embeddings tell of texts whose claims do not contradict."""
    near = cosine()
    if not -1.01 < near < 1.01:  # NaN compares false
        return None
    if near < APART:
        return False
    if a.kind != b.kind or a.kind == "code" or near < ALIKE:
        return None
    claimed = claims.compare(a.text, b.text)
    if claimed.open or (claimed.swapped and near < EQUAL):
        return None
    return True
