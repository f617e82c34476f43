"""What holds of breakers and retry budgets whatever happens, in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from doubles.calling import Clock
from sluice_sidecar.config import Breaker as Settings
from sluice_sidecar.route.breaker import Breaker, Permit, State
from sluice_sidecar.route.budget import FLOOR, RESERVE, RetryBudget

MOVES = st.one_of(
    st.just("enter"),
    st.tuples(st.sampled_from(["succeeded", "failed", "left", "begun"]), st.integers(0, 5)),
    st.floats(0.1, 12.0),
)


@given(st.integers(1, 4), st.lists(MOVES, max_size=60))
def test_breaker_lets_one_trial_through_and_never_stays_shut(
    failures: int, moves: list[str | tuple[str, int] | float]
) -> None:
    clock = Clock()
    breaker = Breaker(Settings(failures=failures, open_for=10.0), clock)
    out: list[Permit] = []
    opened: float | None = None
    for move in moves:
        if isinstance(move, float):
            clock.now += move
        elif isinstance(move, str):
            state, remaining = breaker.state, breaker.remaining
            permit = breaker.enter()
            # Admitted exactly when closed, or open with the wait over; a second trial never is.
            assert (permit is not None) == (state is State.CLOSED or (state is State.OPEN and remaining == 0))
            if state is State.OPEN and permit is not None:
                assert opened is not None
                assert clock.now >= opened + 10.0
                assert breaker.state is State.HALF_OPEN
            if permit is not None:
                out.append(permit)
        elif out:
            before = breaker.state
            permit = out.pop(move[1] % len(out))
            if move[0] == "begun":
                out.append(breaker.begun(permit))
            else:
                getattr(breaker, move[0])(permit)
            if move[0] == "failed" and before is not State.OPEN and breaker.state is State.OPEN:
                opened = clock.now
    # Once all calls are over, waiting long enough always lets the next one in.
    for permit in out:
        breaker.left(permit)
    clock.now += 10.0
    assert breaker.enter() is not None


@given(
    st.floats(0.0, 1.0),
    st.lists(st.one_of(st.just("request"), st.just("retry"), st.floats(0.01, 5.0)), max_size=200),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_budget_bounds_retries_in_every_period(share: float, moves: list[str | float], start: int, length: int) -> None:
    clock = Clock()
    budget = RetryBudget(share, clock)
    requests = retries = 0
    began = clock.now
    for at, move in enumerate(moves):
        if at == start:
            requests = retries = 0
            began = clock.now
        if at == start + length:
            break
        if isinstance(move, float):
            clock.now += move
        elif move == "request":
            budget.deposit()
            requests += 1
        elif budget.withdraw():
            retries += 1
        # Time before the period may still be uncounted, but never saves more than the reserve.
        assert retries <= RESERVE + share * requests + FLOOR * (clock.now - began) + 1e-6
