"""How the words of two asks lie beside each other: what both say, what one says in another's place, what moved."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.facts import Facts
from sluice_sidecar.cache.reuse.grammar import QUESTIONS, stem

FEATURES = ("alike", "instead", "surplus", "verbatim", "replaced", "moved", "speaker", "extent")
"""What `align` gives, each of about unit size."""

SHORTEST = 5
"""Letters of a word that may be another's misspelling or derivative; of shorter ones a letter makes another word."""

LONGEST_SWAP = 3
"""Words that are put for others while all else stays: more are a rewording."""

CLOSE = 0.7
"""Share of the longer ask's words from which two asks are one turned into the other, wherever they differ."""

ADDRESSING = frozenset({"are", "were"})
"""Verbs beside which "you" is the one who is spoken to, not anyone: "how do you" asks what "how do I" does."""

APART = (lex.HARMLESS - QUESTIONS.keys()).union(
    lex.UNITS, lex.WEEKDAYS, lex.MONTHS, lex.NUMBERS, lex.ORDINALS, lex.SCALES, lex.FRACTIONS, {"not"}
)
"""Words that say nothing here: harmless ones, and those that have a rule of their own."""


def align(a: Facts, b: Facts) -> tuple[float, ...]:
    """The features of two asks, in the order of FEATURES. Symmetric; about 20 us.

    A word of everyday's weighs half: it is put for another without harm more often than a rare one.
    """
    left, right = set(a.content), set(b.content)
    common = left & right
    alone = left - common, right - common
    joined = _joined(*alone)
    shared = _weight(common) + sum(map(_weigh, joined))
    ones, others = (_weight(side) - sum(_weigh(w) for w in side if w in joined) for side in alone)
    total = ones + others + 2.0 * shared
    alike = 2.0 * shared / total if total else 0.0
    said = (Counter(a.said) & Counter(b.said)).total()
    verbatim = 2.0 * said / max(len(a.said) + len(b.said), 1)
    instead = max(min(ones, others), 0.0)
    return (
        2.0 * alike - 1.0,
        min(instead, 4.0) / 2.0,
        min(abs(ones - others), 6.0) / 3.0,
        2.0 * verbatim - 1.0,
        min(instead + abs(ones - others) / 2.0, 1.0) * max(2.0 * verbatim - 1.0, 0.0),
        _moved(a.content, b.content),
        float(kinds(lex.PERSONS, a) != kinds(lex.PERSONS, b)),
        float(kinds(lex.QUANTIFIERS, a) != kinds(lex.QUANTIFIERS, b)),
    )


def kinds(table: Mapping[str, str], text: Facts) -> set[str]:
    """What the words of a text stand for in a table of the lexicon."""
    return {table[word] for word in text.said if word in table}


def swapped(a: Facts, b: Facts) -> bool:
    """All but the same words, and something else said instead of one: how an ask is turned into another."""
    extra = _apart(a.said, b.said, least=LONGEST_SWAP)
    if extra is None:
        return False
    means = _meaning(extra[0]), _meaning(extra[1])
    joined = _joined(means[0] - means[1], means[1] - means[0])
    left, right = means[0] - means[1] - joined, means[1] - means[0] - joined
    if left and right:
        return True
    return not lex.TELLING.isdisjoint(left | right)


def added(a: Facts, b: Facts) -> bool:
    """One says what the other does, and something more: a condition, or what an attacker wants besides."""
    extra = _apart(a.said, b.said, least=0)
    if extra is None:
        return False
    left, right = _meaning(extra[0]), _meaning(extra[1])
    if left - right and right - left:
        return False
    more, less = (left, b.said) if left else (right, a.said)
    found = more - _meaning(less) - {"i"}
    return bool(found - _joined(found, _meaning(less)))


def _apart(
    one: tuple[str, ...], other: tuple[str, ...], *, least: int
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:  # fmt: skip
    """The words that either says alone, None where they have too few in common to be turned into each other.

    `least`: words that may be replaced in one place whatever the share of the common ones.
    """
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    longest = max(len(left), len(right))
    if longest <= least and head + tail >= max(longest, 2):
        return left, right
    if not least and not (left and right):
        return left, right
    left, right = _alone(left, right)
    shared = len(one) - len(left)
    return (left, right) if shared >= CLOSE * max(len(one), len(other)) else None


def _alone(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What either holds and the other does not, in order; a word said twice counts twice."""
    kept = []
    for words, others in ((left, right), (right, left)):
        rest = Counter(others)
        alone = []
        for word in words:
            rest[word] -= 1
            if rest[word] < 0:
                alone.append(word)
        kept.append(tuple(alone))
    return kept[0], kept[1]


def _meaning(words: Sequence[str]) -> frozenset[str]:
    """What the words say: whom a pronoun speaks of, the stem of any other. What has a rule of its own says nothing."""
    said = {
        lex.PERSONS.get(word) or QUESTIONS.get(word) or stem(lex.SYNONYMS.get(word, word))
        for word in words
        if word in lex.PERSONS or not (word in APART or word.endswith("n't"))
    }
    if "you're" in words or ("you" in words and not ADDRESSING.isdisjoint(words)):
        said = said - {"you'r"} | {"yours"}
    if "help" in words:
        said.discard("with")
    return frozenset(said)


def _joined(left: frozenset[str] | set[str], right: frozenset[str] | set[str]) -> frozenset[str] | set[str]:
    """The words of both sides that have a misspelling or derivative on the other."""
    if not left or not right:
        return set()
    pairs = [(one, other) for one in left if len(one) >= SHORTEST for other in right if _akin(one, other)]
    return {one for one, _ in pairs} | {other for _, other in pairs}


def _akin(one: str, other: str) -> bool:
    """Whether two words differ by a slip of the pen or an ending, that of a comparison aside."""
    if len(other) < SHORTEST or one[0] != other[0]:
        return False
    if _positive(one) == _positive(other):
        return False
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    if head >= SHORTEST and 3 * head >= 2 * max(len(one), len(other)):
        return True
    rest, tail = (one[head:], other[head:]), 0
    while tail < min(map(len, rest)) and rest[0][-1 - tail] == rest[1][-1 - tail]:
        tail += 1
    left, right = (part[: len(part) - tail] for part in rest)
    return len(left) + len(right) == 1 or (len(left) == 2 and left == right[::-1])


def _positive(word: str) -> str:
    """Faster and fastest without what compares, as far as the stem has it."""
    return word.removesuffix("est").removesuffix("er").removesuffix("e")


def _weigh(word: str) -> float:
    return 0.5 if word in lex.COMMON else 1.0


def _weight(words: set[str]) -> float:
    return sum(map(_weigh, words))


def _moved(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of neighbours among the common words that stand the other way round."""
    places = {word: at for at, word in enumerate(right)}
    found = [places[word] for word in dict.fromkeys(left) if word in places]
    return sum(one > other for one, other in pairwise(found)) / max(len(found) - 1, 1)
