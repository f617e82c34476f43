"""What a text states that an embedding overlooks: figures, dates, names, negation, direction, kind of question."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from sluice_sidecar.cache.reuse import grammar
from sluice_sidecar.cache.reuse import lexicon as lex
from sluice_sidecar.cache.reuse.tokens import MARKS, OPERATORS, PICTURES, SENTENCE_END, TOKEN


@dataclass(frozen=True, slots=True)
class Facts:
    """One text's facts. Tuples keep the text's order, sets do not."""

    numbers: tuple[str, ...]
    units: frozenset[str]
    measures: tuple[str, ...]
    """Figures with the unit that stands by them."""
    times: tuple[str, ...]
    names: tuple[str, ...]
    """Capitalised, coded or quoted things and known places, in lower case."""
    literals: tuple[str, ...]
    """Code, links, quotations and pictures, as they stand."""
    operators: tuple[str, ...]
    negations: int
    sides: frozenset[tuple[int, int]]
    """(pair of opposites, side) of each word that has an opposite."""
    switch: frozenset[str]
    """on, off, up, down: which way something is turned, set or switched."""
    sole: bool
    question: str | None
    modal: str | None
    past: bool | None
    """True: only past forms of be and do; False: only present ones; None: neither or both."""
    roles: frozenset[tuple[str, str]]
    """(word, preposition before it)."""
    scripts: frozenset[str]
    language: str | None
    opening: tuple[str, ...]
    """The first three words, or as many as there are."""
    words: frozenset[str]
    said: tuple[str, ...]
    """All words in small letters, those that belong together as one."""
    content: tuple[str, ...]
    """Stems of what carries meaning, one stem for words that mean the same."""


ENDINGS = frozenset({"st", "nd", "rd", "th", ""})
"""What follows a figure without being a unit."""

SIDES: dict[str, list[tuple[int, int]]] = {}
for _pair, _sides in enumerate(lex.OPPOSITES):
    for _side, _group in enumerate(_sides):
        for _word in _group:
            SIDES.setdefault(_word, []).append((_pair, _side))


@lru_cache(maxsize=8192)
def facts(text: str) -> Facts:
    """The facts of a text; about 100 us for a sentence, remembered."""
    return _Reader(text).read()


class _Reader:
    """Walks a text's tokens once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.numbers: list[str] = []
        self.units: set[str] = set()
        self.measures: list[str] = []
        self.sign = ""
        self.times: list[str] = []
        self.names: list[str] = []
        self.literals: list[str] = []
        self.operators: list[str] = []
        self.words: list[str] = []
        self.roles: set[tuple[str, str]] = set()
        self.content: list[str] = []
        self.capitals: list[str] = []
        self.owned = self.measured = False
        self.role: str | None = None
        self.pending: int | None = None
        self.particles: set[str] = set()

    def read(self) -> Facts:
        start = True
        for kind, raw in self._tokens():
            low = raw.casefold()
            if kind != "word":
                self._settle()
            if kind == "word":
                self._word(raw, low.replace("’", "'"), start)
                start = False
            elif kind == "symbol":
                self._symbol(raw)
                start = start or raw in SENTENCE_END
            else:
                getattr(self, "_" + kind)(raw, low)
                start = False
        self._settle()
        words = self.words
        titled = len(words) >= 4 and len(self.capitals) > 0.6 * len(words)
        names = self.names if titled else [*self.names, *self.capitals]
        lowered = self.text.casefold()
        order = {name: lowered.find(name) for name in names}
        negations = sum(word in lex.NEGATIONS or word.endswith("n't") for word in words)
        return Facts(
            numbers=tuple(self.numbers),
            units=frozenset(self.units),
            measures=tuple(self.measures),
            times=tuple(self.times),
            names=tuple(sorted(order, key=lambda name: order[name])),
            literals=tuple(self.literals),
            operators=tuple(self.operators),
            negations=negations,
            sides=frozenset(side for word in words for side in SIDES.get(word, ())),
            switch=frozenset(self._switched()),
            sole=not lex.SOLE.isdisjoint(words),
            question=grammar.question(words),
            modal=grammar.modal(words),
            past=grammar.past(words),
            roles=frozenset(self.roles),
            scripts=grammar.scripts(self.text),
            language=grammar.language(words),
            opening=tuple(words[:3]),
            words=frozenset(words),
            said=tuple(words),
            content=tuple(self.content),
        )

    def _tokens(self) -> Iterator[tuple[str, str]]:
        for found in TOKEN.finditer(self.text):
            kind = found.lastgroup if found.lastgroup != "suffix" else "number"
            yield str(kind), found[0]

    def _word(self, raw: str, low: str, start: bool) -> None:
        owns = low.endswith("'s") and low not in grammar.QUESTIONS and low not in {"it's", "let's", "that's", "there's"}
        low = low.removesuffix("'s") if owns else low
        last = self.words[-1] if self.words else ""
        joined = lex.PARTICLES.get((last, low))
        if joined is not None:
            self.particles.add(low)
            self.words[-1] = low = joined
            if self.content and self.content[-1] == grammar.stem(last):
                self.content.pop()
        else:
            self.words.append(low)
        if self._counted(low, last):
            return
        measured, self.measured = self.measured, False
        # What has a rule of its own is no content: "5 kg" is "5 kilos", "isn't" is "is not".
        apart = self._moment(raw, low, last, start) or low == "not" or low.endswith("n't")
        if low in lex.UNITS:
            self._unit(lex.UNITS[low], measured)
            apart = apart or measured
        if low in lex.PLACES or low in lex.THINGS:
            self.names.append(low)
        elif raw != "I" and len(raw) > 1 and not apart and low not in lex.UNITS and (
            raw.isupper() or any(c.isupper() for c in raw[1:]) or (raw[0].isupper() and not start)
        ) and not low.startswith(("i'", "http")) and low not in lex.STOPWORDS["en"]:  # fmt: skip
            self.capitals.append(low)
        if low in lex.ROLES:
            self.role = lex.ROLES[low]
        elif not apart and low not in lex.FILLERS and (word := lex.SYNONYMS.get(low, low)) not in lex.FILLERS:
            self._content(grammar.stem(word))
            self.owned = owns

    def _switched(self) -> set[str]:
        """Particles of the verbs that turn something, wherever they stand: "turn the lights off"."""
        found = self.particles & lex.SWITCHING
        if not lex.TURNING.isdisjoint(self.words) or found:
            found |= lex.SWITCHING.intersection(self.words)
        return found

    def _content(self, word: str) -> None:
        # "the river's length" is read as "length of the river"
        self.content.insert(len(self.content) - self.owned, word)
        self.owned = False
        if self.role is not None:
            self.roles.add((word, self.role))
            self.role = None

    def _counted(self, low: str, last: str) -> bool:
        """Whether the word is a number word, which is taken up."""
        value = lex.NUMBERS.get(low, lex.ORDINALS.get(low))
        if low == "one" and (last in {"which", "this", "that", "the", "any", "no", "every", "another", "each", ""}):
            return False
        if low in lex.SCALES:
            self.pending = (self.pending or 1) * lex.SCALES[low]
            return True
        if low in lex.FRACTIONS:
            self._settle()
            self.numbers.append(lex.FRACTIONS[low])
            return True
        if value is None:
            self._settle()
            return False
        self.pending = value if self.pending is None or (value >= 10 and self.pending < 100) else self.pending + value
        if low in lex.ORDINALS:
            self._settle()  # "the first three" are two figures
        return True

    def _settle(self) -> None:
        """The number words so far are one number."""
        if self.pending is not None:
            self._figure(str(self.pending))
            self.pending = None

    def _figure(self, value: str) -> None:
        self.numbers.append(value)
        self.measured = True
        if self.sign:
            self._unit(self.sign, measured=True)
            self.sign = ""
        if self.role is not None:
            self.roles.add((value, self.role))
            self.role = None

    def _moment(self, raw: str, low: str, last: str, start: bool) -> bool:
        """Whether the word names a time, which is taken up."""
        name = lex.MONTHS.get(low) or lex.WEEKDAYS.get(low) or lex.MOMENTS.get(low)
        if low in lex.CAPITAL_ONLY and (start or not raw[0].isupper()) and last not in {"in", "on", "of", "since"}:
            return False
        if name is None and low in lex.PERIODS and last in {"this", "next", "last", "previous"}:
            name = f"{last} {low}"
        if name is not None:
            self.times.append(name)
        return name is not None

    def _unit(self, unit: str, measured: bool = False) -> None:
        self.units.add(unit)
        if measured:
            self.measures.append(f"{self.numbers[-1]} {unit}")

    def _number(self, raw: str, low: str) -> None:
        figure = re.match(r"[-+]?[\d,]+(?:\.\d+)?", low)
        assert figure is not None
        suffix = low[figure.end() :]
        try:
            value = Decimal(figure[0].replace(",", ""))
        except InvalidOperation:
            self._ident(raw, low)
            return
        if suffix in ENDINGS:
            pass
        elif suffix in lex.SUFFIXES:
            value *= lex.SUFFIXES[suffix]
        elif suffix not in lex.UNITS and len(suffix) > 2:
            self._ident(raw, low)
            return
        self._figure(format(value.normalize(), "f"))
        if suffix not in ENDINGS and suffix not in lex.SUFFIXES:
            self._unit(lex.UNITS.get(suffix, suffix), measured=True)

    def _ident(self, raw: str, low: str) -> None:
        self.names.append(low)
        self.words.append(low)
        self._content(low)

    _path = _ident

    def _time(self, raw: str, low: str) -> None:
        low = re.sub(r"[\s.]", "", low)
        self.times.append(low.replace(":00", "") if low.endswith("m") else low)

    def _date(self, raw: str, low: str) -> None:
        self.times.append(low)

    def _code(self, raw: str, low: str) -> None:
        self.literals.append(raw.strip("`"))

    def _link(self, raw: str, low: str) -> None:
        self.literals.append(raw.rstrip(".,;:!?)"))

    def _quote(self, raw: str, low: str) -> None:
        self.literals.append(raw[1:-1].strip().rstrip(".,!?"))

    def _symbol(self, raw: str) -> None:
        measured, self.measured = self.measured, False
        if raw in lex.UNITS:
            self._unit(lex.UNITS[raw], measured)
            self.sign = "" if measured else lex.UNITS[raw]
        elif raw in OPERATORS and raw not in "()":
            self.operators.append(raw)
        elif unicodedata.category(raw[0]) in PICTURES and raw not in MARKS:
            self.literals.append(raw)
