"""A failed delivery is tried again for 24 hours, at the stated times, and no two of them together."""

from itertools import accumulate

import pytest

from sluice_sidecar.batch.webhooks import JITTER, LASTS, WAITS, next_try


def test_the_tries_are_at_the_stated_times() -> None:
    stated = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 50_400, 68_400, 86_400]
    assert list(accumulate(WAITS)) == stated
    now, times = 1_000.0, []
    for tries in range(1, len(WAITS) + 1):
        due = next_try(tries, 1_000.0, now, 0.5)
        assert due is not None
        times.append(due - 1_000)
        now = due
    assert times == stated
    assert next_try(len(WAITS) + 1, 1_000.0, now, 0.5) is None


@pytest.mark.parametrize("tries", range(1, len(WAITS) + 1))
def test_a_wait_is_shortened_or_lengthened_by_a_tenth_at_most(tries: int) -> None:
    soonest, latest = (next_try(tries, 0.0, 0.0, random) for random in (0.0, 1.0))
    assert soonest is not None
    assert latest is not None
    assert soonest == pytest.approx(WAITS[tries - 1] * (1 - JITTER))
    assert latest == pytest.approx(WAITS[tries - 1] * (1 + JITTER))


def test_a_receiver_that_asks_for_time_gets_it_but_no_sooner_than_planned() -> None:
    assert next_try(1, 0.0, 0.0, 0.5, asked=60.0) == 60.0
    assert next_try(3, 0.0, 0.0, 0.5, asked=1.0) == WAITS[2]


def test_the_last_try_is_after_24_hours_whatever_was_late() -> None:
    assert next_try(12, 0.0, LASTS - 100, 1.0) == LASTS
    assert next_try(2, 0.0, LASTS - 100, 0.5, asked=1e9) == LASTS
    assert next_try(2, 0.0, LASTS, 0.5) is None
