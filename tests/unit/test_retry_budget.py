"""Retries stay a share of requests."""

from doubles.calling import Clock
from sluice_sidecar.config import Backend
from sluice_sidecar.route.budget import FLOOR, RESERVE, RetryBudget, RetryBudgets


def drain(budget: RetryBudget) -> int:
    taken = 0
    while budget.withdraw():
        taken += 1
    return taken


def test_starts_with_its_reserve_and_then_is_spent() -> None:
    budget = RetryBudget(0.2, Clock())
    assert drain(budget) == RESERVE
    assert not budget.withdraw()


def test_requests_earn_their_share() -> None:
    budget = RetryBudget(0.25, Clock())
    drain(budget)
    for _ in range(8):
        budget.deposit()
    assert drain(budget) == 2


def test_a_quiet_route_earns_the_floor_with_time() -> None:
    clock = Clock()
    budget = RetryBudget(0.2, clock)
    drain(budget)
    clock.now += 3 / FLOOR
    assert drain(budget) == 3


def test_saves_no_more_than_its_reserve() -> None:
    clock = Clock()
    budget = RetryBudget(0.2, clock)
    for _ in range(1000):
        budget.deposit()
    clock.now += 1000
    assert drain(budget) == RESERVE


def test_a_share_of_nothing_allows_nothing() -> None:
    clock = Clock()
    budget = RetryBudget(0.0, clock)
    budget.deposit()
    clock.now += 1000
    assert not budget.withdraw()


def test_one_budget_an_upstream() -> None:
    budgets = RetryBudgets(Clock())
    small = Backend(name="a", url="http://x/v1")
    assert budgets.of(small, 0.2) is budgets.of(small.model_copy(update={"name": "b"}), 0.2)
    assert budgets.of(small, 0.2) is not budgets.of(small.model_copy(update={"url": "http://y/v1"}), 0.2)
