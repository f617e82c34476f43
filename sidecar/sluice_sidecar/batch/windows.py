"""When a BatchWindow is open: a function of the time alone, so a clock that was set back does no harm. Pure.

What a wall clock says is turned into instants by one rule, whatever the zone does: a window opens the first time that
the clock reads its start or later, and closes when the clock has read a time before its end for the last time. So a
start or end that a clock skips (summer time begins) is the first instant after the gap; of a time that a clock reads
twice (summer time ends) the first opens and the last closes; windows that meet on the clock meet in time as well.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sluice_sidecar.config import BatchWindow

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_MINUTES_A_DAY = 24 * 60
_BEFORE = 2
"""Days before the one looked at on which a window that is still open can have started."""
_SURE = 22
"""Days without a change, after the last exception, that show a week's pattern: more than any one change of the clock
can hide."""


class Span(NamedTuple):
    """Minutes of the day on which it starts; an end of more than 1,440 is on the next day."""

    start: int
    end: int


class Opening(NamedTuple):
    """From when to when it is open, unix seconds; `end` is infinity where it never closes."""

    start: float
    end: float


class ClockChange(NamedTuple):
    """At `at`, unix seconds, the zone's clocks go forward by `seconds`; back where they are negative."""

    at: float
    seconds: int


class Schedule:
    """The windows of one BatchWindow, merged where they meet or overlap. Times are unix seconds.

    `week`: seven days' spans, Monday first. `exceptions`: dates that have spans of their own, or none.
    """

    __slots__ = ("_exceptions", "_known", "_last", "_week", "zone")

    def __init__(
        self, zone: ZoneInfo, week: Sequence[Sequence[Span]], exceptions: Mapping[date, Sequence[Span]]
    ) -> None:
        self.zone = zone
        self._week = [sorted(spans) for spans in week]
        self._exceptions = {day: sorted(spans) for day, spans in exceptions.items()}
        self._last = max(self._exceptions, default=date.min)
        self._known: tuple[float, Opening] | None = None

    @classmethod
    def of(cls, window: BatchWindow) -> "Schedule":
        """Raises ValueError, which says what cannot be read, for an unknown zone, a day, a time or a date."""
        week: list[list[Span]] = [[] for _ in DAYS]
        for given in window.windows:
            for day in given.days:
                week[DAYS.index(day)].append(span(given.start, given.end))
        exceptions = {
            date.fromisoformat(given.date): [span(one.start, one.end) for one in given.windows]
            for given in window.exceptions
        }
        try:
            zone = ZoneInfo(window.time_zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f'"{window.time_zone}" is not a time zone; write for example Europe/Berlin') from None
        return cls(zone, week, exceptions)

    def open(self, now: float) -> bool:
        """Whether it is open at `now`."""
        found = self._at(now)
        return found is not None and found.start <= now

    def next(self, now: float) -> float:
        """When something that waits may begin: `now` where it is open, infinity where it never opens again."""
        found = self._at(now)
        return math.inf if found is None else max(found.start, now)

    def next_opening(self, now: float) -> float:
        """When it opens for the next time after `now`; infinity where it never does, or never closes before."""
        return next((opening.start for opening in self._openings(now) if opening.start > now), math.inf)

    def closes(self, now: float) -> float:
        """When the opening that is there at `now` ends: infinity where it never does, `now` where it is closed."""
        found = self._at(now)
        return now if found is None or found.start > now else found.end

    def openings(self, now: float, count: int) -> list[Opening]:
        """The next ones that start after `now`, at most `count`."""
        return list(islice((opening for opening in self._openings(now) if opening.start > now), count))

    def clock_changes(self, opening: Opening) -> list[ClockChange]:
        """Changes of the zone's clocks while it is open, or at the very moment at which it opens."""
        if math.isinf(opening.end):
            return []
        found = []
        low = int(opening.start) - 1
        while low < opening.end:
            high = min(low + 3600, int(opening.end))  # no zone has changed its clocks twice within an hour
            change = self._offset(high) - self._offset(low)
            if change:
                before, after = low, high
                while after - before > 1:
                    middle = (before + after) // 2
                    if self._offset(middle) == self._offset(low):
                        before = middle
                    else:
                        after = middle
                if after < opening.end:
                    found.append(ClockChange(after, change))
            low += 3600
        return found

    def local(self, instant: float) -> datetime:
        """What the zone's clocks show."""
        return datetime.fromtimestamp(instant, self.zone)

    def _at(self, now: float) -> Opening | None:
        """The opening that is there at `now`, else the next one."""
        if self._known and self._known[0] <= now < self._known[1].end:
            return self._known[1]
        found = next(self._openings(now), None)
        if found is not None:
            self._known = now, found
        return found

    def _openings(self, now: float) -> Iterator[Opening]:
        """Those that end after `now`. The first may have begun before what is told of it."""
        day = self.local(now).date() - timedelta(days=_BEFORE)
        sure = max(day, self._last) + timedelta(days=_SURE)
        current: Opening | None = None
        while day <= sure:
            for each in self._exceptions.get(day, self._week[day.weekday()]):
                start, end = self._instant(day, each.start), self._instant(day, each.end, last=True)
                if end <= now or end <= start:
                    continue
                if current is not None and start <= current.end:
                    current = Opening(current.start, max(current.end, end))
                    continue
                if current is not None:
                    yield current
                current = Opening(start, end)
                sure = max(day, self._last) + timedelta(days=_SURE)
            day += timedelta(days=1)
        if current is not None:
            # Weeks went by without a gap: either the windows have none, or this one was the last.
            lasts = current.end > self._instant(day - timedelta(days=_BEFORE), 0)
            yield Opening(current.start, math.inf) if lasts else current

    def _instant(self, day: date, minutes: int, *, last: bool = False) -> int:
        """When the clock reads `minutes` after `day`'s midnight or later for the first time, or has read an earlier
        time for the last time."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
        early = int(wall.replace(tzinfo=self.zone, fold=0).timestamp())
        late = int(wall.replace(tzinfo=self.zone, fold=1).timestamp())
        if late >= early:
            return late if last else early
        # The clock skips it. Between the two readings (PEP 495) lies the one instant at which it jumps.
        before, after = late, early
        while after - before > 1:
            middle = (before + after) // 2
            if datetime.fromtimestamp(middle, self.zone).replace(tzinfo=None) < wall:
                before = middle
            else:
                after = middle
        return after

    def _offset(self, instant: int) -> int:
        offset = datetime.fromtimestamp(instant, UTC).astimezone(self.zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


def span(start: str, end: str) -> Span:
    """Times of day ("22:00") as minutes; an end that is not after the start is on the next day."""
    begins, ends = _minutes(start), _minutes(end)
    return Span(begins, ends if ends > begins else ends + _MINUTES_A_DAY)


def _minutes(clock: str) -> int:
    hours, colon, minutes = clock.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise ValueError(f'"{clock}" is not a time of day; write for example "22:00"')
    return int(hours) * 60 + int(minutes)
