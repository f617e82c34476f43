"""The history of a bound: a moment a minute and at each change, a bounded number of them."""

from sluice_sidecar.cache.history import EVERY, KEPT, History
from sluice_sidecar.cache.risk import Controller, Report, RiskBound


def closed() -> Report:
    return Controller(RiskBound(0.01)).report()


def test_a_moment_is_kept_each_minute_and_whenever_it_opens_or_closes() -> None:
    history = History()
    for now, is_open in ((0.0, False), (59.0, False), (60.0, False), (61.0, True), (62.0, True), (63.0, False)):
        history.note(now, is_open, lambda is_open=is_open: _opened(is_open))  # type: ignore[misc]
    assert [(one["at"], one["open"]) for one in history.shown()] == [
        (0.0, False), (60.0, False), (61.0, True), (63.0, False),
    ]  # fmt: skip


def _opened(is_open: bool) -> Report:
    report = closed()
    return Report(**{name: getattr(report, name) for name in report.__slots__} | {"open": is_open})


def test_the_report_is_made_only_where_a_moment_is_due() -> None:
    asked: list[float] = []

    def report() -> Report:
        asked.append(1.0)
        return closed()

    history = History()
    for now in range(0, 120, 10):
        history.note(float(now), False, report)
    assert len(asked) == 2


def test_the_oldest_go_and_a_clock_that_was_put_back_goes_on() -> None:
    history = History()
    for minute in range(KEPT + 7):
        history.note(minute * EVERY, False, closed)
    assert (len(history.shown()), history.shown()[0]["at"]) == (KEPT, 7 * EVERY)
    history.note(5.0, False, closed)
    assert history.shown()[-1]["at"] == 5.0
