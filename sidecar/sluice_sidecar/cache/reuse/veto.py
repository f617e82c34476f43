"""Why two asks that look alike to an embedding may want different answers: deterministic, cheap, conservative.

Each rule refuses; none proves that two asks are the same. A refusal costs an upstream call, a missed refusal costs a
wrong answer, so a doubt refuses.
"""

from collections.abc import Callable, Sequence

from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.alignment import added, kinds, swapped
from sluice_sidecar.cache.reuse.facts import Facts, facts

Rule = Callable[[Facts, Facts], bool]

CLAUSE = 4
"""Words of a clause that may be put first or last without another sense."""

ADDRESSED = frozenset({"yours", "yourself", "yourselves"})

WANTED = frozenset(
    {"who", "when", "where", "why", "how", "how many", "how long", "how far", "how often", "how old", "yesno"}
)
"""Kinds of question that are seldom put for each other."""

NEAR = ({"how", "where"}, {"how", "yesno"}, {"where", "yesno"})
"""Those of them that are, in other words."""


def _numbers(a: Facts, b: Facts) -> bool:
    return sorted(a.numbers) != sorted(b.numbers)


def _units(a: Facts, b: Facts) -> bool:
    return a.units != b.units or sorted(a.measures) != sorted(b.measures)


def _times(a: Facts, b: Facts) -> bool:
    return sorted(set(a.times)) != sorted(set(b.times))


def _literals(a: Facts, b: Facts) -> bool:
    return a.literals != b.literals


def _names(a: Facts, b: Facts) -> bool:
    return any(name not in b.words and name not in b.names for name in a.names) or any(
        name not in a.words and name not in a.names for name in b.names
    )


def _operators(a: Facts, b: Facts) -> bool:
    return a.operators != b.operators


def _negation(a: Facts, b: Facts) -> bool:
    return a.negations != b.negations


def _opposites(a: Facts, b: Facts) -> bool:
    pairs_a, pairs_b = dict.fromkeys(pair for pair, _ in a.sides), dict.fromkeys(pair for pair, _ in b.sides)
    return any(
        {side for side in a.sides if side[0] == pair} != {side for side in b.sides if side[0] == pair}
        for pair in pairs_a
        if pair in pairs_b
    )


def _switch(a: Facts, b: Facts) -> bool:
    return bool(a.switch) and bool(b.switch) and a.switch != b.switch


def _sole(a: Facts, b: Facts) -> bool:
    return a.sole != b.sole


def _person(a: Facts, b: Facts) -> bool:
    """Whose matter it is: his, hers, ours, or expressly yours."""
    if not (kinds(lex.PERSONS, a) ^ kinds(lex.PERSONS, b)).isdisjoint({"he", "she", "we"}):
        return True
    return ADDRESSED.isdisjoint(a.words) != ADDRESSED.isdisjoint(b.words)


def _quantity(a: Facts, b: Facts) -> bool:
    of_a, of_b = kinds(lex.QUANTIFIERS, a), kinds(lex.QUANTIFIERS, b)
    return bool(of_a) and bool(of_b) and of_a != of_b


def _scope(a: Facts, b: Facts) -> bool:
    return kinds(lex.SCOPES, a) != kinds(lex.SCOPES, b)


def _question(a: Facts, b: Facts) -> bool:
    if a.question == b.question:
        return False
    return {a.question, b.question} not in ({None, "what"}, {None, "how"})


def _modality(a: Facts, b: Facts) -> bool:
    return a.modal is not None and b.modal is not None and a.modal != b.modal


def _tense(a: Facts, b: Facts) -> bool:
    return a.past is not None and b.past is not None and a.past != b.past


def _language(a: Facts, b: Facts) -> bool:
    return a.scripts != b.scripts or (a.language is not None and b.language is not None and a.language != b.language)


def _roles(a: Facts, b: Facts) -> bool:
    """A word that comes from in one text and goes to in the other."""
    of_a: dict[str, set[str]] = {}
    for word, role in a.roles:
        of_a.setdefault(word, set()).add(role)
    of_b: dict[str, set[str]] = {}
    for word, role in b.roles:
        of_b.setdefault(word, set()).add(role)
    return any(of_a[word].isdisjoint(of_b[word]) for word in of_a if word in of_b)


def _asked(a: Facts, b: Facts) -> bool:
    """Where and when, how and why, asked of the same words."""
    if not {a.question, b.question} <= WANTED - {"yesno"} or a.question == b.question:
        return False
    return len(set(a.content) ^ set(b.content)) <= 1 and bool(set(a.content) & set(b.content))


def _wanted(a: Facts, b: Facts) -> bool:
    """Where and when, how and why, of whatever words."""
    asked = {a.question, b.question}
    return len(asked) == 2 and asked <= WANTED and asked not in NEAR


def _order(a: Facts, b: Facts) -> bool:
    """The same names or figures, or the same words altogether, in another order.

    Not so where a whole clause of at least CLAUSE words was put first: "my card is lost, what now?"
    """
    if _turned(a.said, b.said, CLAUSE) and all(
        one == other or _turned(one, other, 1)
        for one, other in ((a.names, b.names), (a.numbers, b.numbers), (a.times, b.times))
    ):
        return False
    common = [name for name in a.names if name in b.names]
    if common != [name for name in b.names if name in a.names]:
        return True
    if a.numbers != b.numbers or list(dict.fromkeys(a.times)) != list(dict.fromkeys(b.times)):
        return True
    return (a.content != b.content and sorted(a.content) == sorted(b.content)) or (
        a.said != b.said and sorted(a.said) == sorted(b.said)
    )


def _turned(one: Sequence[str], other: Sequence[str], least: int) -> bool:
    """Whether `other` is `one` with its two parts, of `least` words each or more, in each other's place."""
    size = len(one)
    return size == len(other) and any(
        one[cut:] == other[: size - cut] and one[:cut] == other[size - cut :] for cut in range(least, size - least + 1)
    )


def _edit(a: Facts, b: Facts) -> bool:
    """Equal texts but for a word or a short phrase: that is how one ask is turned into another, seldom reworded."""
    left, right = a.content, b.content
    if left == right:
        return False
    same = set(left) & set(right)
    alone = [word for word in left if word not in same], [word for word in right if word not in same]
    kept = [word for word in left if word in same] == [word for word in right if word in same]
    if kept and same and len(alone[0]) + len(alone[1]) <= 2:
        return True
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    changed = max(len(left), len(right)) - head - tail
    return changed <= 3 and head + tail >= changed


RULES: tuple[tuple[str, Rule], ...] = (
    ("language", _language),
    ("literal", _literals),
    ("number", _numbers),
    ("unit", _units),
    ("time", _times),
    ("name", _names),
    ("operator", _operators),
    ("negation", _negation),
    ("opposite", _opposites),
    ("switch", _switch),
    ("sole", _sole),
    ("scope", _scope),
    ("quantity", _quantity),
    ("person", _person),
    ("asked", _asked),
    ("question", _question),
    ("wanted", _wanted),
    ("modality", _modality),
    ("tense", _tense),
    ("role", _roles),
    ("order", _order),
    ("swap", swapped),
    ("addition", added),
    ("edit", _edit),
)
"""Name and rule, in the order in which reasons are given. A rule is true where the two asks disagree."""

SOFT = ("question", "wanted", "modality", "tense", "edit")
"""Rules that only hint: asks for the same thing often break them, so they refuse by themselves only where nothing else
bounds the error."""


def disagreements(text: str, other: str) -> tuple[str, ...]:
    """The names of all rules that the two texts break, in the order of RULES; empty: nothing speaks against reuse."""
    a, b = facts(text), facts(other)
    return tuple(name for name, rule in RULES if rule(a, b))
