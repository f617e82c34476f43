"""Windows follow the wall clock of their zone, through every change of that clock."""

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sluice_sidecar.batch.windows import ClockChange, Opening, Schedule
from sluice_sidecar.config import BatchWindow

ALL = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def schedule(zone: str, *windows: tuple[str, str, str], **dates: list[tuple[str, str]]) -> Schedule:
    """Windows as (days, start, end), days "" for all; dates as d2026_12_25=[(start, end)]."""
    given: dict[str, Any] = {
        "name": "w",
        "time_zone": zone,
        "windows": [
            {"days": days.split() or ALL, "start": start, "end": end} for days, start, end in windows
        ],
        "exceptions": [
            {"date": name[1:].replace("_", "-"), "windows": [{"start": start, "end": end} for start, end in spans]}
            for name, spans in dates.items()
        ],
        "routes": ["r"],
    }  # fmt: skip
    return Schedule.of(BatchWindow.model_validate(given))


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(opening: Opening) -> tuple[str, str]:
    """Both ends in UTC, to the minute."""
    start, end = (datetime.fromtimestamp(instant, UTC).strftime("%m-%d %H:%M") for instant in opening)
    return start, end


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    nights = schedule("Asia/Kolkata", ("Fri", "22:00", "06:00"))
    friday = at("2026-11-27T22:00", "Asia/Kolkata")
    assert not nights.open(friday - 1)
    assert nights.open(friday)
    assert nights.open(at("2026-11-28T05:59:59", "Asia/Kolkata"))
    assert not nights.open(at("2026-11-28T06:00", "Asia/Kolkata"))
    assert not nights.open(at("2026-11-28T23:00", "Asia/Kolkata"))
    assert utc(nights.openings(friday - 1, 1)[0]) == ("11-27 16:30", "11-28 00:30")
    assert nights.next_opening(friday - 1) == nights.next(friday - 1) == friday
    assert nights.next(friday + 5) == friday + 5
    assert nights.next_opening(friday) == friday + 7 * 86_400
    assert nights.closes(friday) == friday + 8 * 3600
    assert nights.closes(friday - 1) == friday - 1


@pytest.mark.parametrize(
    ("zone", "window", "after", "expected"),
    [
        # Summer time begins: 02:00 becomes 03:00 at 01:00 UTC.
        ("Europe/Berlin", ("02:15", "05:00"), "2026-03-28T12:00", ("03-29 01:00", "03-29 03:00")),
        ("Europe/Berlin", ("00:00", "02:30"), "2026-03-28T12:00", ("03-28 23:00", "03-29 01:00")),
        ("Europe/Berlin", ("22:00", "06:00"), "2026-03-28T12:00", ("03-28 21:00", "03-29 04:00")),
        # It ends: 03:00 becomes 02:00 at 01:00 UTC; the first 02:15 opens, the last 02:45 closes.
        ("Europe/Berlin", ("02:15", "02:45"), "2026-10-24T12:00", ("10-25 00:15", "10-25 01:45")),
        ("Europe/Berlin", ("22:00", "06:00"), "2026-10-24T12:00", ("10-24 20:00", "10-25 05:00")),
        ("America/New_York", ("02:30", "04:00"), "2026-03-07T12:00", ("03-08 07:00", "03-08 08:00")),
        ("America/New_York", ("01:30", "01:45"), "2026-10-31T12:00", ("11-01 05:30", "11-01 06:45")),
        # Half an hour: 02:00 becomes 02:30 at 15:30 UTC in October, and 01:30 at 15:00 UTC in April.
        ("Australia/Lord_Howe", ("02:15", "03:00"), "2026-10-03T00:00", ("10-03 15:30", "10-03 16:00")),
        ("Australia/Lord_Howe", ("01:45", "03:00"), "2026-04-04T00:00", ("04-04 14:45", "04-04 16:30")),
        ("Asia/Kolkata", ("02:15", "02:45"), "2026-03-28T12:00", ("03-28 20:45", "03-28 21:15")),
        # Samoa crossed the date line: there was no 30 December 2011, which began at 10:00 UTC.
        ("Pacific/Apia", ("22:00", "06:00"), "2011-12-30T09:00", ("12-30 08:00", "12-30 16:00")),
        ("Pacific/Apia", ("12:00", "13:00"), "2011-12-29T23:30", ("12-30 22:00", "12-30 23:00")),
        # North Korea went back to the time of its neighbour on 4 May 2018 at 15:00 UTC: 23:30 became 00:00.
        ("Asia/Pyongyang", ("23:45", "01:00"), "2018-05-04T12:00", ("05-04 15:00", "05-04 16:00")),
    ],
)  # fmt: skip
def test_a_change_of_the_clock_moves_both_ends_by_the_rule(
    zone: str, window: tuple[str, str], after: str, expected: tuple[str, str]
) -> None:
    now = at(after)
    opened = schedule(zone, ("", *window))
    found = Opening(now, opened.closes(now)) if opened.open(now) else opened.openings(now, 1)[0]
    assert utc(found)[1] == expected[1]
    assert opened.open(found.end - 1)
    assert not opened.open(found.end)
    if not opened.open(now):
        assert utc(found)[0] == expected[0]


def test_a_window_that_the_clock_skips_whole_is_not_there_that_day() -> None:
    short = schedule("Europe/Berlin", ("", "02:10", "02:50"))
    assert [utc(each) for each in short.openings(at("2026-03-27T12:00"), 2)] == [
        ("03-28 01:10", "03-28 01:50"),
        ("03-30 00:10", "03-30 00:50"),
    ]


def test_windows_that_overlap_or_meet_are_one() -> None:
    merged = schedule("UTC", ("Mon", "20:00", "23:00"), ("Mon", "22:00", "02:00"), ("Tue", "02:00", "03:00"))
    monday = at("2026-11-23T00:00")
    assert [utc(each) for each in merged.openings(monday, 2)] == [
        ("11-23 20:00", "11-24 03:00"),
        ("11-30 20:00", "12-01 03:00"),
    ]


def test_always_is_a_day_from_midnight_to_midnight_also_when_clocks_change() -> None:
    always = schedule("Europe/Berlin", ("", "00:00", "00:00"))
    for now in (at("2026-03-29T00:59:59"), at("2026-03-29T01:00"), at("2026-10-25T00:30"), at("2026-10-25T01:30")):
        assert always.open(now)
        assert always.closes(now) == math.inf
        assert always.next(now) == now
        assert (always.next_opening(now), always.openings(now, 3)) == (math.inf, [])


def test_a_date_can_have_windows_of_its_own_or_none() -> None:
    weekdays = schedule(
        "Europe/Berlin",
        ("Mon Tue Wed Thu Fri", "22:00", "06:00"),
        d2026_12_24=[],
        d2026_12_25=[("00:00", "00:00")],
    )
    assert [utc(each) for each in weekdays.openings(at("2026-12-23T00:00"), 3)] == [
        ("12-23 21:00", "12-24 05:00"),
        ("12-24 23:00", "12-25 23:00"),
        ("12-28 21:00", "12-29 05:00"),
    ]


def test_always_with_a_holiday_closes_on_it() -> None:
    always = schedule("UTC", ("", "00:00", "00:00"), d2027_01_01=[])
    now = at("2026-11-24T12:00")
    assert always.closes(now) == at("2027-01-01T00:00")
    assert always.next_opening(now) == at("2027-01-02T00:00")
    assert always.closes(at("2027-01-02T00:00")) == math.inf


def test_dates_alone_end_and_then_it_never_opens() -> None:
    dates = schedule("UTC", d2026_11_30=[("18:00", "20:00")], d2027_06_30=[("18:00", "20:00")])
    now = at("2026-11-24T12:00")
    assert [utc(each) for each in dates.openings(now, 5)] == [
        ("11-30 18:00", "11-30 20:00"),
        ("06-30 18:00", "06-30 20:00"),
    ]
    late = at("2027-06-30T20:00")
    assert (dates.open(late), dates.next(late), dates.next_opening(late)) == (False, math.inf, math.inf)


def test_a_clock_that_was_set_back_gets_the_answers_of_that_time() -> None:
    nights = schedule("Europe/Berlin", ("", "22:00", "06:00"))
    evening, noon = at("2026-11-24T22:30"), at("2026-11-24T12:00")
    fresh = schedule("Europe/Berlin", ("", "22:00", "06:00"))
    assert nights.open(evening)
    assert not nights.open(noon)
    assert nights.next(noon) == fresh.next(noon)
    assert nights.open(evening)


def test_changes_of_the_clock_are_told() -> None:
    nights = schedule("Europe/Berlin", ("", "22:00", "06:00"), ("", "02:15", "05:00"))
    spring, autumn = nights.openings(at("2026-03-28T12:00"), 1)[0], nights.openings(at("2026-10-24T12:00"), 1)[0]
    assert nights.clock_changes(spring) == [ClockChange(at("2026-03-29T01:00"), 3600)]
    assert nights.clock_changes(autumn) == [ClockChange(at("2026-10-25T01:00"), -3600)]
    assert nights.clock_changes(nights.openings(at("2026-11-24T12:00"), 1)[0]) == []
    in_the_gap = schedule("Europe/Berlin", ("", "02:15", "05:00"))
    assert in_the_gap.clock_changes(in_the_gap.openings(at("2026-03-28T12:00"), 1)[0])[0].seconds == 3600


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"time_zone": "Mars/Olympus"}, '"Mars/Olympus" is not a time zone; write for example Europe/Berlin'),
        ({"time_zone": "../etc/passwd"}, "is not a time zone"),
        ({"windows": [{"days": ["Mon"], "start": "24:00", "end": "01:00"}]}, '"24:00" is not a time of day'),
        ({"exceptions": [{"date": "2026-02-30"}]}, "day is out of range"),
    ],
)
def test_what_cannot_be_read_is_refused(change: dict[str, Any], says: str) -> None:
    good = {"name": "w", "windows": [{"days": ["Mon"], "start": "22:00", "end": "06:00"}], "routes": ["r"]}
    with pytest.raises(ValueError, match=says):
        Schedule.of(BatchWindow.model_validate(good | change))
