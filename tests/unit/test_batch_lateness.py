"""The latest safe start, and what becomes of a request that would miss its deadline."""

import math

import pytest

from sluice_sidecar.batch.lateness import Policy, Start, latest_start, start_by


class Opens:
    """A window that opens at one time and stays open."""

    def __init__(self, opens: float) -> None:
        self._opens = opens

    def open(self, now: float) -> bool:
        return now >= self._opens

    def next(self, now: float) -> float:
        return max(self._opens, now)


def test_it_is_the_deadline_less_the_run_and_its_margin() -> None:
    assert latest_start(10_000.0, 300, 0.5, margin=0.25) == 10_000 - 750
    assert latest_start(10_000.0, 0, 0.5) == 10_000


@pytest.mark.parametrize(
    ("queued", "throughput", "margin"),
    [(1, 0.0, 0.1), (1, math.nan, 0.1), (1, math.inf, 0.1), (-1, 1.0, 0.1), (1, 1.0, -0.1), (1, 1.0, math.nan)],
)
def test_what_tells_nothing_is_refused(queued: int, throughput: float, margin: float) -> None:
    with pytest.raises(ValueError, match=r"throughput|negative"):
        latest_start(10_000.0, queued, throughput, margin)


@pytest.mark.parametrize(
    ("opens", "latest", "policy", "expected"),
    [
        (500.0, 800.0, "Fail", Start(500.0, "in window")),
        (900.0, 800.0, "RunAnyway", Start(800.0, "outside")),
        (900.0, 50.0, "RunAnyway", Start(100.0, "outside")),
        (900.0, 800.0, "Fail", Start(math.inf, "refused")),
        (900.0, 800.0, "Warn", Start(900.0, "late")),
        (math.inf, 800.0, "RunAnyway", Start(800.0, "outside")),
        (math.inf, 800.0, "Warn", Start(math.inf, "late")),
        (0.0, 800.0, "RunAnyway", Start(100.0, "in window")),
        (0.0, 50.0, "RunAnyway", Start(100.0, "late")),
    ],
)
def test_a_start_is_in_the_window_where_that_is_early_enough_else_by_policy(
    opens: float, latest: float, policy: Policy, expected: Start
) -> None:
    assert start_by(Opens(opens), 100.0, latest, policy) == expected
