"""Times that YAML carries as text: time of day, date, cron schedule, time zone."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator

from sluice_operator.kinds.part import refused
from sluice_operator.kinds.quantity import matched, schema, text_of

CLOCK_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
DATE_PATTERN = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_CRON_FORM = r"[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}"
TIME_ZONE_PATTERN = r"^[A-Za-z0-9_+/-]+$"

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, start=1)}
_DAYS = {name: n for n, name in enumerate(_DAY_NAMES)}
_NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, _MONTHS, _DAYS)


def _cron_pattern() -> str:
    """Five fields of items *, N, N-M, each with /STEP perhaps, every N within its range or a name; not their order."""
    numbers = ("[0-5]?[0-9]", "1?[0-9]|2[0-3]", "0?[1-9]|[12][0-9]|3[01]", "0?[1-9]|1[0-2]", "[0-7]")
    fields = []
    for number, names in zip(numbers, _NAMES, strict=True):
        bound = f"({'|'.join([number, *(f'(?i:{name})' for name in names)])})"
        item = rf"(\*|{bound}(-{bound})?)(/0*[1-9][0-9]{{0,3}})?"
        fields.append(f"{item}(,{item})*")
    return f"^{' '.join(fields)}$"


CRON_PATTERN = _cron_pattern()

_CRON_ORDER = "self.findAll('[0-9]+-[0-9]+').all(span, int(span.split('-')[0]) <= int(span.split('-')[1]))"
# CEL knows time zones by asking for the hour there; an unknown one is an error, which refuses the object too.
_TIME_ZONE_RULE = "self != 'Local' && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0"
# A date that its month does not have is an error in CEL too.
_DATE_RULE = "timestamp(self + 'T00:00:00Z').getFullYear() >= 2000"

_CLOCK = (CLOCK_PATTERN, "a time of day", "22:00")
_DATE = (DATE_PATTERN, "a date", "2026-12-25")
_CRON = (CRON_PATTERN, "a cron schedule of five fields", "0 3 * * 1")


def _clock(value: Any) -> str:
    return matched(value, *_CLOCK)


def _date(value: Any) -> str:
    text = matched(value, *_DATE)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise refused("format", f'"{text}" is not a date: its month has no such day') from None


def _cron(value: Any) -> str:
    text = matched(value, _CRON_FORM, *_CRON[1:])
    for field, limits, names in zip(text.split(), _RANGES, _NAMES, strict=True):
        for item in field.split(","):
            if not _cron_item_holds(item, limits, names):
                low, high = limits
                raise refused("format", f'"{item}" in the cron schedule "{text}" is not within {low} to {high}')
    return text


def _cron_item_holds(item: str, limits: tuple[int, int], names: dict[str, int]) -> bool:
    """Whether one of a field's comma-separated items is *, N, N-M, or one of these with /STEP."""
    span, slash, step = item.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    bounds = [names.get(bound.lower(), int(bound) if bound.isdigit() else -1) for bound in span.split("-")]
    return len(bounds) <= 2 and limits[0] <= bounds[0] <= bounds[-1] <= limits[1]


def _time_zone(value: Any) -> str:
    text = text_of(value, "Europe/Berlin")
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        like = sorted(name for name in available_timezones() if text.lower() in name.lower())[:3]
        hint = f"known are {', '.join(like)}" if text and like else "write for example Europe/Berlin"
        raise refused("format", f'"{text}" is not a time zone; {hint}') from None
    return text


Clock = Annotated[str, BeforeValidator(_clock), schema(*_CLOCK)]
"""A time of day, in quotes: "22:00"."""

Date = Annotated[str, BeforeValidator(_date), schema(*_DATE, rule=_DATE_RULE)]
"""A day of the calendar: 2026-12-25."""

Cron = Annotated[str, BeforeValidator(_cron), schema(*_CRON, 128, _CRON_ORDER)]
"""Minute, hour, day of month, month, day of week."""

TimeZone = Annotated[
    str, BeforeValidator(_time_zone), schema(TIME_ZONE_PATTERN, "a time zone", "Europe/Berlin", rule=_TIME_ZONE_RULE)
]
"""A name of the IANA database: Asia/Kolkata."""
