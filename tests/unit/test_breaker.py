"""A backend that keeps failing is left alone, then tried with one request."""

from doubles.calling import Clock
from sluice_sidecar.config import Backend
from sluice_sidecar.config import Breaker as Settings
from sluice_sidecar.route.breaker import Breaker, Breakers, State

SETTINGS = Settings(failures=3, open_for=10.0)


def state(breaker: Breaker) -> State:
    return breaker.state


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        permit = breaker.enter()
        assert permit is not None
        breaker.failed(permit)


def test_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(SETTINGS, Clock())
    fail(breaker, 2)
    assert state(breaker) is State.CLOSED
    fail(breaker, 1)
    assert state(breaker) is State.OPEN
    assert breaker.enter() is None
    assert breaker.remaining == 10.0


def test_a_success_between_starts_the_count_again() -> None:
    breaker = Breaker(SETTINGS, Clock())
    fail(breaker, 2)
    permit = breaker.enter()
    assert permit is not None
    breaker.succeeded(permit)
    fail(breaker, 2)
    assert state(breaker) is State.CLOSED


def test_half_open_lets_one_trial_through_and_its_success_closes() -> None:
    clock = Clock()
    breaker = Breaker(SETTINGS, clock)
    fail(breaker, 3)
    clock.now += 10
    trial = breaker.enter()
    assert trial is not None
    assert breaker.enter() is None
    breaker.succeeded(trial)
    assert state(breaker) is State.CLOSED
    assert breaker.enter() is not None


def test_a_failed_trial_opens_it_for_the_whole_time_again() -> None:
    clock = Clock()
    breaker = Breaker(SETTINGS, clock)
    fail(breaker, 3)
    clock.now += 10
    fail(breaker, 1)
    assert breaker.enter() is None
    assert breaker.remaining == 10.0


def test_a_trial_whose_caller_left_lets_the_next_request_try() -> None:
    clock = Clock()
    breaker = Breaker(SETTINGS, clock)
    fail(breaker, 3)
    clock.now += 10
    trial = breaker.enter()
    assert trial is not None
    breaker.left(trial)
    assert breaker.enter() is not None
    assert breaker.enter() is None


def test_calls_from_before_the_outage_change_nothing() -> None:
    clock = Clock()
    breaker = Breaker(SETTINGS, clock)
    old = breaker.enter()
    assert old is not None
    fail(breaker, 3)
    breaker.succeeded(old)
    assert state(breaker) is State.OPEN
    clock.now += 10
    assert breaker.enter() is not None
    breaker.failed(old)
    assert state(breaker) is State.HALF_OPEN


def test_a_stream_that_began_ends_the_trial_and_may_still_fail() -> None:
    clock = Clock()
    breaker = Breaker(SETTINGS, clock)
    fail(breaker, 3)
    clock.now += 10
    trial = breaker.enter()
    assert trial is not None
    going_on = breaker.begun(trial)
    assert state(breaker) is State.CLOSED
    fail(breaker, 2)
    breaker.failed(going_on)
    assert state(breaker) is State.OPEN


def test_streams_that_all_begin_and_all_break_open_it() -> None:
    breaker = Breaker(SETTINGS, Clock())
    for _ in range(3):
        permit = breaker.enter()
        assert permit is not None
        breaker.failed(breaker.begun(permit))
    assert state(breaker) is State.OPEN


def test_routes_that_call_the_same_upstream_share_a_breaker() -> None:
    breakers = Breakers(Clock())
    one = Backend(name="a", url="http://x/v1", model="m")
    assert breakers.of(one, SETTINGS) is breakers.of(one.model_copy(update={"name": "b"}), SETTINGS)
    assert breakers.of(one, SETTINGS) is not breakers.of(one.model_copy(update={"model": "n"}), SETTINGS)
    assert breakers.of(one, SETTINGS) is not breakers.of(one, Settings(failures=4, open_for=10.0))
