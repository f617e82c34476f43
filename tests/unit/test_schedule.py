"""When a key is due: deduplicated, one at a time, later after failures."""

import pytest

from sluice_operator.queue import Backoff, Schedule


@pytest.fixture
def schedule() -> Schedule[str]:
    return Schedule(Backoff(first=1.0, most=8.0), chance=lambda: 0.0)


def test_a_key_added_twice_is_taken_once(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0)
    schedule.add("b", 0.0)
    schedule.add("a", 0.0)
    assert [schedule.take(0.0) for _ in range(3)] == ["a", "b", None]


def test_a_key_that_changes_while_it_runs_is_taken_once_more_after_it(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0)
    assert schedule.take(0.0) == "a"
    schedule.add("a", 1.0)
    schedule.add("a", 1.0)
    assert schedule.take(1.0) is None
    schedule.done("a", 2.0)
    assert [schedule.take(2.0), schedule.take(2.0)] == ["a", None]
    schedule.done("a", 3.0)
    assert schedule.next_due() is None


def test_a_delayed_key_that_comes_due_while_it_runs_waits_for_its_end(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0)
    schedule.take(0.0)
    schedule.add("a", 0.0, delay=1.0)
    assert schedule.take(5.0) is None
    schedule.done("a", 6.0)
    assert schedule.take(6.0) == "a"


def test_requeue_after_waits_and_a_change_comes_first(schedule: Schedule[str]) -> None:
    for key in ("a", "b"):
        schedule.add(key, 0.0)
        assert schedule.take(0.0) == key
        schedule.done(key, 0.0, requeue_after=10.0)
    schedule.add("b", 2.0)
    assert schedule.take(2.0) == "b"
    schedule.done("b", 2.0)
    assert (schedule.take(9.9), schedule.take(10.0), schedule.take(99.0)) == (None, "a", None)


def test_a_later_wish_does_not_put_an_earlier_one_off(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0, delay=3.0)
    schedule.add("a", 0.0, delay=30.0)
    assert schedule.next_due() == 3.0


def test_failures_wait_longer_and_longer_until_a_success(schedule: Schedule[str]) -> None:
    now, waits = 0.0, []
    schedule.add("a", now)
    for _ in range(5):
        assert schedule.take(now) == "a"
        waits.append(schedule.failed("a", now))
        assert schedule.take(now + waits[-1] - 0.01) is None
        now += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0]
    schedule.take(now)
    schedule.done("a", now)
    schedule.add("a", now)
    schedule.take(now)
    assert schedule.failed("a", now) == 1.0


def test_a_failure_of_one_key_puts_no_other_off(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0)
    schedule.take(0.0)
    schedule.failed("a", 0.0)
    schedule.add("b", 0.0)
    assert schedule.take(0.0) == "b"


@pytest.mark.parametrize("while_running", [True, False])
def test_a_change_brings_a_failed_key_forward_to_the_first_wait(schedule: Schedule[str], while_running: bool) -> None:
    now = 0.0
    schedule.add("a", now)
    for last in (False, False, False, True):
        assert schedule.take(now) == "a"
        if last and while_running:
            schedule.add("a", now)
        wait = schedule.failed("a", now)
        now += 0.0 if last else wait
    if not while_running:
        schedule.add("a", now)
    assert schedule.next_due() == now + 1.0


def test_a_stopped_key_is_due_at_once_and_has_not_failed(schedule: Schedule[str]) -> None:
    schedule.add("a", 0.0)
    schedule.take(0.0)
    schedule.dropped("a", 1.0)
    assert schedule.take(1.0) == "a"
    assert schedule.failed("a", 1.0) == 1.0


def test_it_counts_what_is_due_what_waits_and_what_runs(schedule: Schedule[str]) -> None:
    for key, delay in (("a", 0.0), ("b", 0.0), ("c", 5.0)):
        schedule.add(key, 0.0, delay)
    schedule.take(0.0)
    assert (schedule.depth(0.0), schedule.waiting, schedule.running) == (1, 2, 1)
    assert schedule.depth(5.0) == 2


def test_chance_only_shortens_a_wait_within_its_share() -> None:
    backoff = Backoff(first=1.0, most=8.0, jitter=0.5)
    assert [backoff.after(2, chance) for chance in (0.0, 0.5, 0.999)] == [2.0, 1.5, pytest.approx(1.0, abs=0.01)]
    assert backoff.after(10_000, 0.0) == 8.0
