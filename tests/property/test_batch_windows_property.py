"""A schedule opens exactly where a scan of every minute by the stated rule finds it open."""

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_sidecar.batch.windows import Schedule, Span

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
         "Africa/Casablanca", "America/St_Johns", "Asia/Pyongyang", "UTC")  # fmt: skip
CHANGES = (datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 4, 4), datetime(2011, 12, 30),
           datetime(2018, 5, 4), datetime(2026, 2, 15), datetime(2026, 11, 1), datetime(2026, 7, 1))  # fmt: skip
"""Days about which a zone's clocks are changed; in July none."""

spans = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda drawn: Span(drawn[0], drawn[0] + drawn[1]))
short = st.tuples(st.integers(60, 200), st.integers(1, 90)).map(lambda drawn: Span(drawn[0], drawn[0] + drawn[1]))
weeks = st.lists(st.lists(spans | short, max_size=2), min_size=7, max_size=7)


def wall(zone: ZoneInfo, minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, zone).replace(tzinfo=None)


def scanned(
    zone: ZoneInfo, week: list[list[Span]], exceptions: dict[date, list[Span]], first: int, last: int
) -> set[int]:
    """The open ones of the minutes (of unix time) from `first` to `last`, by reading the clock at every minute."""
    margin = 4 * 1440
    minutes = range(first - margin, last + margin)
    clock = [wall(zone, minute) for minute in minutes]
    found: set[int] = set()
    day = clock[0].date() + timedelta(days=1)
    while day < clock[-1].date() - timedelta(days=1):
        for span in exceptions.get(day, week[day.weekday()]):
            midnight = datetime(day.year, day.month, day.day)
            start, end = midnight + timedelta(minutes=span.start), midnight + timedelta(minutes=span.end)
            opens = next(minute for minute, read in zip(minutes, clock, strict=True) if read >= start)
            closes = 1 + max(minute for minute, read in zip(minutes, clock, strict=True) if read < end)
            found.update(range(opens, closes))
        day += timedelta(days=1)
    return found & set(range(first, last))


@given(
    st.sampled_from(ZONES),
    weeks,
    st.dictionaries(st.integers(-1, 2), st.lists(spans, max_size=2), max_size=2),
    st.sampled_from(CHANGES),
)
@settings(max_examples=25, deadline=None)
def test_it_is_open_where_a_scan_of_every_minute_finds_it_open(
    name: str, week: list[list[Span]], special: dict[int, list[Span]], about: datetime
) -> None:
    zone = ZoneInfo(name)
    exceptions = {about.date() + timedelta(days=shift): found for shift, found in special.items()}
    schedule = Schedule(zone, week, exceptions)
    first = int((about.replace(tzinfo=UTC) - timedelta(hours=16)).timestamp()) // 60
    expected = scanned(zone, week, exceptions, first, first + 2880)
    assert {minute for minute in range(first, first + 2880) if schedule.open(minute * 60)} == expected


@given(st.sampled_from(ZONES), weeks, st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
@settings(max_examples=100, deadline=None)
def test_openings_are_sorted_apart_and_agree_with_every_other_answer(
    name: str, week: list[list[Span]], moment: datetime
) -> None:
    now = moment.timestamp()
    schedule = Schedule(ZoneInfo(name), week, {})
    openings = schedule.openings(now, 6)
    assert all(one.start < one.end < other.start for one, other in pairwise(openings))
    if not any(week):
        assert openings == []
    for opening in openings:
        assert opening.start > now
        assert not schedule.open(opening.start - 1)
        assert schedule.open(opening.start)
        assert schedule.next(opening.start - 1) == schedule.next_opening(opening.start - 1) == opening.start
        assert schedule.closes(opening.start) == opening.end
        assert not schedule.open(opening.end)
    assert schedule.next_opening(now) == (openings[0].start if openings else math.inf)
    assert schedule.next(now) == (now if schedule.open(now) else schedule.next_opening(now))
