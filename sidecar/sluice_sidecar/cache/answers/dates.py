"""Days and times of day as answers write them, brought to one form where their order is beyond doubt."""

import re
from datetime import date

from sluice_sidecar.cache.reuse import lexicon as lex

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]00:00(?::00)?(?:\.0+)?Z?)?")
_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MONTH = "|".join(sorted(lex.MONTHS, key=len, reverse=True))
_NAMED = re.compile(
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?,?\s+(?P<year>\d{{4}})"
    rf"|(?P<month2>{_MONTH})\b\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year2>\d{{4}}))",
    re.IGNORECASE,
)
_ANY = re.compile(rf"(?<![\w./-])(?:{_POINTS.pattern}|{SLASHED.pattern}|{_NAMED.pattern})(?![\w/-])", re.IGNORECASE)
_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d\d))?\s?([ap])\.?m\b\.?|\b(\d{1,2}):(\d\d)\b(?!:)", re.IGNORECASE)
_NUMBERS = {name: at for at, name in enumerate(dict.fromkeys(lex.MONTHS.values()), 1)}


def dated(text: str) -> date | None:
    """The day that a text is: ISO, d.m.y, a month by its name, a slash with a day > 12; None for anything else."""
    if match := _ISO.fullmatch(text):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif match := _POINTS.fullmatch(text):
        parts = (int(match[3]), int(match[2]), int(match[1]))
    elif (match := SLASHED.fullmatch(text)) and max(int(match[1]), int(match[2])) > 12:
        first, second = int(match[1]), int(match[2])
        parts = (int(match[3]), min(first, second), max(first, second))
    elif match := _NAMED.fullmatch(text):
        month = _NUMBERS[lex.MONTHS[(match["month"] or match["month2"]).casefold()]]
        parts = (int(match["year"] or match["year2"]), month, int(match["day"] or match["day2"]))
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def in_one_form(text: str) -> str:
    """The text with its days in ISO and its times of day on 24 hours."""
    return _CLOCK.sub(_clock, _ANY.sub(_day, text)) if any(char.isdigit() for char in text) else text


def _day(found: "re.Match[str]") -> str:
    day = dated(found[0])
    return found[0] if day is None else day.isoformat()


def _clock(found: "re.Match[str]") -> str:
    if found[4]:
        return f"{int(found[4]):02}:{found[5]}"
    hour = int(found[1]) % 12 + (12 if found[3] in "pP" else 0)
    return f"{hour:02}:{found[2] or '00'}" if int(found[1]) <= 12 else found[0]
