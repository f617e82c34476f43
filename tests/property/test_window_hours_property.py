"""Overlaps and the longest closed stretch agree with the minutes of a week."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_operator.hours import DAYS, longest_closed, overlapping
from sluice_operator.kinds.batch_window import Window

clocks = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
windows = st.builds(
    lambda days, start, end: Window(days=tuple(days), start=start, end=end),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True),
    clocks,
    clocks,
)


def minutes(window: Window) -> set[int]:
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (window.start, window.end))
    lasts = end - start if end > start else end - start + 1440
    return {(DAYS.index(day) * 1440 + start + minute) % 10_080 for day in window.days for minute in range(lasts)}


@given(st.lists(windows, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_they_agree(week: list[Window]) -> None:
    covered = [minutes(window) for window in week]
    pairs = [(a, b) for a in range(len(week)) for b in range(a + 1, len(week)) if covered[a] & covered[b]]
    assert overlapping(week) == pairs
    opened = set().union(*covered)
    longest = run = 0
    for minute in range(20_160):
        run = 0 if minute % 10_080 in opened else run + 1
        longest = max(longest, run)
    assert longest_closed(week) == longest * 60
