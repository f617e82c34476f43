"""Blacks out what says who somebody is, before anything of a request is kept. Pure.

A place that was found becomes `[EMAIL 1]`, and the same thing the same place again, so that a text keeps its sense.
When in doubt it is blacked out. Credentials go whatever was asked for. Phone numbers are found by the `phonenumbers`
library; names and addresses by their usual surroundings only: somebody named without title, greeting or field passes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import phonenumbers

Personal = Literal["Email", "Phone", "Card", "Iban", "Address", "Name"]

REGIONS = ("US", "GB", "DE", "FR", "IN", "ES", "IT", "BR", "JP")
"""Whose national ways to write a phone number are known; with a + in front, all are."""
LONGEST = 32_768
"""Characters of one text that are read; what is longer is cut there, as nothing unread may be kept."""

Span = tuple[int, int, str]
"""Start, end, what it is."""

_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_EMAIL = re.compile(
    r"[^\s@<>()\[\]\"',;:]{1,64}\s?(?:@|\((?:at|@)\)|\[(?:at|@)\]|\s(?:at|AT)\s)\s?"
    r"[\w-]{1,63}(?:(?:\.|\s?[(\[](?:dot|\.)[)\]]\s?|\s(?:dot|DOT)\s)[\w-]{1,63}){1,6}"
)
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?!\w)")
_CALLED = re.compile(
    r"\b(?:phone|tel(?:ephone|efon)?|mobile|mobil|cell|handy|fax|whatsapp|call|ring|number|nummer|móvil|téléphone)\b"
    r"[^\d+\n]{0,24}(\+?\d(?:[ ()/.-]{0,3}\d){5,14})",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\d{1,5}[a-zA-Z]?,?\s+(?:[\w.'-]+\s+){0,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|"
    r"square|sq|terrace|way|place|pl|close|crescent|highway|hwy)\b\.?(?:\s*,?\s*(?:apt|apartment|flat|unit|suite)\.?\s*\w+)?"
    r"|\b(?:[A-ZÄÖÜ][\w.-]{0,24}\s){0,2}[A-ZÄÖÜ][\w.-]{0,24}\s?"
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer)\s*\d{1,4}\s?[a-z]?\b"
    r"|\b(?:\d{1,4}\s?(?:bis|ter)?,?\s+)?(?:rue|avenue|boulevard|place|chemin|impasse|via|viale|piazza|corso|calle|avenida|"
    r"plaza|paseo|rua|praça)\s+(?:d[eu]s?\s+|de\s+la\s+|del\s+|da\s+|di\s+)?[A-ZÀ-Ý][\w'-]+(?:\s+[A-ZÀ-Ý][\w'-]+){0,3}"
    r"(?:\s*,?\s*\d{1,4})?"
    r"|\bP\.?\s?O\.?\s?Box\s+\d+|\bPostfach\s+\d+",
    re.IGNORECASE,
)
_TOWN = re.compile(r"\b(?:[A-Z]{1,2}-)?\d{4,5}\s+[A-ZÄÖÜÀ-Ý][\wäöüß-]+|\b[A-Z][a-z]+,?\s+[A-Z]{2}\s+\d{5}(?:-\d{4})?\b"
                   r"|\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b")  # fmt: skip
_WORD = r"[^\W\d_a-z][\w'’-]*\.?"
_PERSON = rf"{_WORD}(?:\s+(?:(?:van|von|de|der|den|da|di|del|la|le|el|bin|al|ibn)\s+){{0,2}}{_WORD}){{0,3}}"
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Herrn?|Frau|Monsieur|Madame|M\.|Mme|Señora?|Sra?|Sig(?:nora?|\.ra)?)\b\.?\s+"
    rf"({_PERSON})"
)
_GREETED = re.compile(
    r"(?:\b(?:[Dd]ear|[Hh]ello|[Hh]i|[Hh]ey|[Ll]iebe[rs]?|[Hh]allo|[Bb]onjour|[Cc]her|[Cc]hère|[Hh]ola|[Qq]uerid[oa]|[Cc]iao)\s+"
    r"|\b(?:[Mm]y name is|[Nn]ame is|I am called|[Tt]his is|[Ii]ch heiße|[Mm]ein Name ist|[Jj]e m'appelle|[Mm]e llamo|"
    r"[Mm]i chiamo)\s+"
    r"|\b(?:[Rr]egards|[Ss]incerely|[Bb]est wishes|[Tt]hanks|[Cc]heers|[Gg]rüßen?|[Gg]ruß|[Cc]ordialement|[Ss]aludos)"
    r"\s*,?\s*\n\s*"
    r"|\b(?:[Ff]irst |[Ll]ast |[Ff]ull |[Ss]ur|[Cc]ustomer |[Pp]atient |[Vv]or|[Nn]ach)?[Nn]ame\s*[:=]\s*"
    r"|\"(?:first_?|last_?|full_?|sur|customer_?|user_?)?[Nn]ame\"\s*:\s*\")"
    rf"({_PERSON})"
)
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\b(?:sk|pk|rk)[-_](?:live[-_]|test[-_]|proj[-_]|ant[-_])?[\w-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}"
    r"|\bhf_[A-Za-z0-9]{20,}"
    r"|(?i:\b(?:password|passwd|passwort|pwd|secret|api[_-]?key|token|authorization)\b\"?\s*(?:[:=]|\bis\b)\s*\"?"
    r"(?:bearer\s+|basic\s+)?)(?P<value>[^\s\",;]{4,})",
    re.DOTALL,
)


def redacted(text: str, kinds: Iterable[str]) -> str:
    """The text without what the kinds name, nor any credential; in Unicode's NFKC form, without hidden characters."""
    return Redaction(kinds).text(text)


class Redaction:
    """Blacks out several texts of one request: the same thing gets the same name in all of them."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._finders = [_FINDERS[kind] for kind in _FINDERS if kind in set(kinds)]
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def text(self, text: str) -> str:
        """One text."""
        clean = _HIDDEN.sub("", unicodedata.normalize("NFKC", text[:LONGEST]))
        spans = sorted(
            (span for find in (_credentials, *self._finders) for span in find(clean)),
            key=lambda span: (span[0], -span[1]),
        )
        parts, at = [], 0
        for start, end, what in spans:
            if end <= at:
                continue
            parts += [clean[at : max(start, at)], self._name(what, clean[max(start, at) : end])]
            at = end
        return "".join([*parts, clean[at:]])

    def value(self, value: Any) -> Any:
        """The same for every string of a value of JSON's types; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def _name(self, what: str, found: str) -> str:
        same = what, re.sub(r"[\W_]+", "", found).casefold()
        if same not in self._names:
            self._counts[what] = self._counts.get(what, 0) + 1
            self._names[same] = f"[{what} {self._counts[what]}]"
        return self._names[same]


def _credentials(text: str) -> Iterator[Span]:
    for found in _SECRETS.finditer(text):
        start = found.start("value") if found["value"] is not None else found.start()
        yield start, found.end(), "SECRET"


def _emails(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        yield found.start(), found.end(), "EMAIL"


def _phones(text: str) -> Iterator[Span]:
    if not any(char.isdigit() for char in text):
        return
    for region in REGIONS:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            yield match.start, match.end, "PHONE"
    for found in _CALLED.finditer(text):
        yield found.start(1), found.end(1), "PHONE"


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        if _luhn("".join(char for char in found[0] if char.isdigit())):
            yield found.start(), found.end(), "CARD"


def _ibans(text: str) -> Iterator[Span]:
    for found in _IBAN.finditer(text):
        end = _iban_end(found[0])
        if end:
            yield found.start(), found.start() + end, "IBAN"


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (_STREET, _TOWN):
        for found in pattern.finditer(text):
            yield found.start(), found.end(), "ADDRESS"


def _people(text: str) -> Iterator[Span]:
    for pattern in (_TITLED, _GREETED):
        for found in pattern.finditer(text):
            yield found.start(1), found.end(1), "NAME"


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * (2 if n % 2 else 1) for n, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _iban_end(found: str) -> int:
    """Where an account number of valid check digits (ISO 13616) ends; 0 where none begins here."""
    ends = [n + 1 for n, char in enumerate(found) if char.isalnum()]
    for end in reversed(ends[14:]):
        plain = re.sub(r"[ -]", "", found[:end]).upper()
        if plain.isascii() and int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1:
            return end
    return 0


_FINDERS: dict[str, Callable[[str], Iterator[Span]]] = {
    "Email": _emails,
    "Phone": _phones,
    "Card": _cards,
    "Iban": _ibans,
    "Address": _addresses,
    "Name": _people,
}
