"""What can be told of weekly windows without a zone: which overlap, and how long none is open. Pure."""

import math
from collections.abc import Sequence
from typing import get_args

from sluice_operator.kinds.batch_window import Day, Window

DAYS: tuple[Day, ...] = get_args(Day)

_DAY = 24 * 60
_WEEK = 7 * _DAY


def overlapping(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Pairs of windows, by their indices, that are open at one time in a week without a change of the clock."""
    pieces = [_pieces(window) for window in windows]
    return [
        (first, second)
        for first in range(len(pieces))
        for second in range(first + 1, len(pieces))
        if any(
            (start - begins) % _WEEK < ends - begins or (begins - start) % _WEEK < end - start
            for begins, ends in pieces[first]
            for start, end in pieces[second]
        )
    ]


def longest_closed(windows: Sequence[Window]) -> float:
    """Seconds of the longest stretch that no window covers, in a week without a change of the clock; infinity where
    there is no window."""
    pieces = sorted(piece for window in windows for piece in _pieces(window))
    if not pieces:
        return math.inf
    longest, covered = 0, max(ends for _, ends in pieces) - _WEEK
    for begins, ends in pieces:
        longest = max(longest, begins - covered)
        covered = max(covered, ends)
    return longest * 60.0


def _pieces(window: Window) -> list[tuple[int, int]]:
    """From when to when it is open, minutes from the start of Monday."""
    start, end = _minutes(window.start), _minutes(window.end)
    lasts = (end - start) % _DAY or _DAY
    return [(begins, begins + lasts) for begins in (DAYS.index(day) * _DAY + start for day in window.days)]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
