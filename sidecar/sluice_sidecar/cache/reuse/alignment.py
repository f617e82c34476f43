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
    """Word for word the same but in one place, where something else is said: how an ask is turned into another."""
    head, left, right, tail = _apart(a.said, b.said)
    if head + tail < max(len(left), len(right), 2) or max(len(left), len(right)) > LONGEST_SWAP:
        return False
    means = _meaning(left), _meaning(right)
    joined = _joined(means[0] - means[1], means[1] - means[0])
    extra = means[0] - means[1] - joined, means[1] - means[0] - joined
    if extra[0] and extra[1]:
        return True
    return not lex.TELLING.isdisjoint(extra[0] | extra[1])


def added(a: Facts, b: Facts) -> bool:
    """One holds the other word for word, and something more: a condition, or what an attacker wants besides."""
    _, left, right, _ = _apart(a.said, b.said)
    if left and right:
        return False
    more, less = (left, b.said) if left else (right, a.said)
    extra = _meaning(more) - _meaning(less) - {"i"}
    return bool(extra - _joined(extra, _meaning(less)))


def _apart(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[int, tuple[str, ...], tuple[str, ...], int]:
    """Words that both begin with, what either says then, words that both end with."""
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    return head, one[head : len(one) - tail], other[head : len(other) - tail], tail


def _meaning(words: Sequence[str]) -> frozenset[str]:
    """What the words say: whom a pronoun speaks of, the stem of any other. What has a rule of its own says nothing."""
    return frozenset(
        lex.PERSONS.get(word) or QUESTIONS.get(word) or stem(lex.SYNONYMS.get(word, word))
        for word in words
        if word in lex.PERSONS or not (word in APART or word.endswith("n't"))
    )


def _joined(left: frozenset[str] | set[str], right: frozenset[str] | set[str]) -> frozenset[str] | set[str]:
    """The words of both sides that have a misspelling or derivative on the other."""
    if not left or not right:
        return set()
    pairs = [(one, other) for one in left if len(one) >= SHORTEST for other in right if _akin(one, other)]
    return {one for one, _ in pairs} | {other for _, other in pairs}


def _akin(one: str, other: str) -> bool:
    """Whether two words differ by a slip of the pen or an ending."""
    if len(other) < SHORTEST or one[0] != other[0]:
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


def _weigh(word: str) -> float:
    return 0.5 if word in lex.COMMON else 1.0


def _weight(words: set[str]) -> float:
    return sum(map(_weigh, words))


def _moved(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of neighbours among the common words that stand the other way round."""
    places = {word: at for at, word in enumerate(right)}
    found = [places[word] for word in dict.fromkeys(left) if word in places]
    return sum(one > other for one, other in pairwise(found)) / max(len(found) - 1, 1)
