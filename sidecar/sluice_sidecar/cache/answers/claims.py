"""What two texts claim, compared: a figure, a name, a "not" that differs makes two answers of alike words."""

import re
from dataclasses import dataclass
from functools import lru_cache

from sluice_sidecar.cache.answers.dates import in_one_form
from sluice_sidecar.cache.answers.figures import quantities
from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.facts import SIDES, Facts, facts
from sluice_sidecar.cache.reuse.grammar import stem

NEAR = 0.6
"""Share of common content from which on two texts are one text in which something was changed."""
SWAPPED = 3
"""Words that differ on each side at most for some to have taken the others' place."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


YES = _words("yes yeah yep yup true correct affirmative right indeed")
NO = _words("no nope nah false incorrect wrong negative")
_FLAT = _words("not no never none nobody nothing cannot neither nor")
"""What denies by itself; "except", "without" and the like are said in other ways as often."""
_LINKS = _words("because becaus since sinc due while whil whereas they them but although though except g c m h l")
"""Links between clauses and one-letter units: no content."""
_ORDER = _words("first then next finally before after afterwards later")
_UNTIL = _words("by until till before within")
_BOUND = re.compile(r"\b(by|until|till|before|within|after|since|from)\s+(?:the\s+)?(\w+)", re.IGNORECASE)
_FRACTIONS = frozenset(lex.FRACTIONS.values())
_FIRST = re.compile(r"\W*(yes\b|[^\W\d_]+(?=\s*(?:[,.!;:–—]|$)))", re.IGNORECASE)
_CAPITAL = re.compile(r"\b[A-Z][^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Compared:
    """How two texts' claims stand to each other."""

    contradict: bool
    """One claims what the other denies."""
    open: bool
    """One claims what the other does not mention, or in another order: the same is not beyond doubt."""
    swapped: bool
    """A few words stand where the other has others: synonyms, or a change that an embedding hardly sees."""
    overlap: float
    """Common share of their content words, names aside, 0..1."""


def polarity(text: str) -> bool | None:
    """Whether a text begins with a yes (True) or a no (False)."""
    first = _FIRST.match(text)
    word = first[1].casefold() if first else ""
    return True if word in YES else False if word in NO else None


@lru_cache(maxsize=256)
def compare(one: str, other: str) -> Compared:
    """Compares the claims of two texts, about 0.2 ms a sentence; remembered, for it is asked for twice."""
    one, other = (in_one_form(text).replace(" °", "°") for text in (one, other))
    a, b = facts(one), facts(other)
    mine, theirs = _content(a), _content(b)
    overlap = len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0
    near = overlap >= NEAR
    contradict, unsure = _opposed(one, other), not mine | theirs
    for left, right, alone in _stated(one, other, a, b):
        if left - right and right - left:
            contradict |= near or (alone and not left & right)
        unsure |= left != right
    told, crossed = _denied(a, b) or _moved(one, other), _crossed(a, b)
    turned = any((pair, 1 - side) in _one_sided(b) for pair, side in _one_sided(a))
    told |= turned and not crossed  # both: "slower than light" may be "faster than sound" the other way round
    contradict |= (told and near) or _replaced(one, other, a, b)
    unsure |= told or turned or crossed or (a.negations == 0) != (b.negations == 0) or _reordered(a, b)
    return Compared(contradict, unsure or contradict, _swapped(a, b), overlap)


def _content(found: Facts) -> set[str]:
    """Stems that neither name something nor have an opposite: those are compared by themselves."""
    apart = {stem(lex.SYNONYMS.get(word, word)) for word in found.words if word in SIDES or word in _LINKS}
    return set(found.content) - set(found.names) - apart - {stem(name) for name in found.names}


def _denied(a: Facts, b: Facts) -> bool:
    """Whether one says not, only, from or off where the other does not, or says to or on."""
    mine, theirs = a.roles - b.roles, b.roles - a.roles
    return (
        (_denies(a) != _denies(b) and 0 in (a.negations, b.negations))
        or any(word == same and role != to for word, role in mine for same, to in theirs)
        or bool(a.switch and b.switch and a.switch != b.switch)
        or a.sole != b.sole
    )


def _denies(found: Facts) -> bool:
    return not _FLAT.isdisjoint(found.words) or any(word.endswith("n't") for word in found.words)


def _crossed(a: Facts, b: Facts) -> bool:
    """Whether a part ("from ...", "than ...") is played by another word in each."""
    return not {role for _, role in a.roles - b.roles}.isdisjoint(role for _, role in b.roles - a.roles)


def _moved(one: str, other: str) -> bool:
    """Whether something ends a span in one text and begins it in the other: by Monday, after Monday."""
    said, heard = (
        {(found[2].casefold(), found[1].casefold() in _UNTIL) for found in _BOUND.finditer(text)}
        for text in (one, other)
    )
    return any((what, not end) in heard - said for what, end in said - heard)


def _one_sided(found: Facts) -> set[tuple[int, int]]:
    """The sides of those pairs of opposites of which one alone is spoken of."""
    return {(pair, side) for pair, side in found.sides if (pair, 1 - side) not in found.sides}


def _opposed(one: str, other: str) -> bool:
    said, heard = polarity(one), polarity(other)
    return said is not None and heard is not None and said != heard


def _stated(one: str, other: str, a: Facts, b: Facts) -> list[tuple[set[str], set[str], bool]]:
    """What each states, kind by kind; and whether such statements contradict when they have nothing in common."""
    figures = (set(a.numbers), set(b.numbers))
    units = (set(a.units), set(b.units))
    written = quantities(one)
    if written == quantities(other) and len(written) == len(figures[0]) == len(figures[1]) > 0:
        figures = units = (set(), set())  # 2 weeks are 14 days
    if not _FRACTIONS.isdisjoint(figures[0] ^ figures[1]):
        figures = units = ({""}, set())  # "half an hour" and "30 minutes": one has a figure that the other lacks
    return [
        (*figures, True),
        (set(a.times), set(b.times), True),
        (set(a.literals), set(b.literals), True),
        (*units, False),
        # a name that begins a sentence is a word to one reading and a name to the other
        (_distinct(set(a.names) - b.words, set(b.names)), _distinct(set(b.names) - a.words, set(a.names)), False),
    ]


def _replaced(one: str, other: str, a: Facts, b: Facts) -> bool:
    """Whether the texts are equal but for one capitalised word in another's place."""
    if len(a.content) != len(b.content) or len(a.content) < 2:
        return False
    places = [(x, y) for x, y in zip(a.content, b.content, strict=True) if x != y]
    if len(places) != 1:
        return False
    stems = ({stem(name.casefold()) for name in _CAPITAL.findall(text)} for text in (one, other))
    return all(word in names for word, names in zip(places[0], stems, strict=True))


def _swapped(a: Facts, b: Facts) -> bool:
    names = {stem(name) for name in {*a.names, *b.names}} | {*a.names, *b.names} | _LINKS
    mine, theirs = set(a.content) - names, set(b.content) - names
    return 0 < len(mine - theirs) <= SWAPPED and 0 < len(theirs - mine) <= SWAPPED


def _reordered(a: Facts, b: Facts) -> bool:
    """Whether common words stand in another order that may turn who does what to whom.

    One clause moved elsewhere says the same ("A is B", "B is A"). Two that changed places around a third may not ("dogs
    chase cats"), and neither may words that moved while the figures stayed, or any that moved beside "first" or "not".
    """
    common = set(a.content) & set(b.content)
    one = list(dict.fromkeys(word for word in a.content if word in common))
    other = list(dict.fromkeys(word for word in b.content if word in common))
    figures = set(a.numbers) & set(b.numbers)
    counted = [number for number in a.numbers if number in figures] != [n for n in b.numbers if n in figures]
    if len(figures) > 1 and counted != (one != other):
        return True
    if bool(_by(a)) != bool(_by(b)) and not common.isdisjoint(_by(a) | _by(b)):
        return not _acts(a, b, one, other)
    if one == other:
        return False
    if not _ORDER.isdisjoint(a.words | b.words) or (a.negations and b.negations):
        return True
    if len(one) < NEAR * max(len(a.content), len(b.content)):
        return True  # too little in common to see what was moved
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return all(one[at:] + one[:at] != other for at in range(len(one)))


def _by(found: Facts) -> set[str]:
    return {word for word, role in found.roles if role == "by"}


def _acts(a: Facts, b: Facts, one: list[str], other: list[str]) -> bool:
    """Whether who acts in the passive text ("by the manager") comes first in the active one."""
    said, active = (_by(a), other) if _by(a) else (_by(b), one)
    passive = one if active is other else other
    agents = [word for word in passive if word in said]
    return bool(agents) and active.index(agents[0]) < active.index(passive[0])


def _distinct(mine: set[str], theirs: set[str]) -> set[str]:
    """Names of one that are no form of a name of the other: Allies and Allied are one."""
    starts = {name[:4] for name in theirs}
    return {name for name in mine if name[:4] not in starts}
