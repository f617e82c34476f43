"""Overlaps and closed stretches of weekly windows, the week being a ring."""

import math

from sluice_operator.hours import DAYS, longest_closed, overlapping
from sluice_operator.kinds.batch_window import Day, Window


def window(start: str, end: str, *days: Day) -> Window:
    return Window(days=days or DAYS, start=start, end=end)


def test_pairs_that_overlap_are_found_across_the_end_of_the_week() -> None:
    night, late = window("22:00", "06:00", "Sun"), window("01:00", "02:00", "Mon")
    assert overlapping([night, late]) == overlapping([late, night]) == [(0, 1)]
    assert overlapping([window("22:00", "06:00", "Sat"), late]) == []
    assert overlapping([late, window("02:00", "03:00", "Mon")]) == []


def test_the_longest_closed_stretch_is_found_across_the_end_of_the_week() -> None:
    assert longest_closed([window("22:00", "06:00", "Mon", "Tue", "Wed", "Thu", "Fri")]) == (18 + 24 + 22) * 3600
    assert longest_closed([window("00:00", "00:00")]) == 0
    assert longest_closed([window("12:00", "12:00", "Sun")]) == 6 * 86_400
    assert longest_closed([]) == math.inf
