from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_cli.demo.replay import Outcome
from sluice_cli.demo.summary import percentile, summarise, wilson
from sluice_cli.demo.wire import Answer
from sluice_cli.demo.workload import Step
from sluice_sidecar.config import Price

PRICES = {"small": Price(input=Decimal(1), output=Decimal(2)), "large": Price(input=Decimal(10), output=Decimal(20))}
STEP = Step("a", "support", "Where?", "first")


def outcome(seconds: float, cache: str | None, backend: str | None) -> Outcome:
    return Outcome(STEP, Answer("Here.", 100, 0, 10), seconds, cache, backend)


def test_a_hit_costs_no_tokens_and_a_direct_call_is_the_large_backends() -> None:
    direct = summarise([outcome(1.0, None, None)], PRICES, "large")
    assert direct.cost == Decimal("0.0012")
    assert direct.backends == {"large": 1}
    through = summarise([outcome(1.0, "miss", "small"), outcome(0.1, "identical", "small")], PRICES, "large")
    assert through.cost == Decimal("0.00012")
    assert (through.prompt_tokens, through.completion_tokens) == (100, 10)
    assert through.hits == {"identical": 1}
    assert through.backends == {"small": 1}


def test_latencies_count_hits_too() -> None:
    through = summarise([outcome(s, "identical", "small") for s in (0.1, 0.2, 0.3, 0.6)], PRICES, "large")
    assert through.mean == pytest.approx(0.3)
    assert (through.p50, through.p95) == (0.2, 0.6)


def test_the_median_is_told_for_each_strategy_and_backend() -> None:
    outcomes = [outcome(0.01, "identical", "small"), outcome(0.5, "miss", "small"), outcome(0.7, "miss", "small")]
    assert summarise(outcomes, PRICES, "large").p50_by == {"identical": 0.01, "small": 0.5}


def test_a_percentile_is_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_no_wrong_hit_in_few_is_no_proof() -> None:
    low, high = wilson(0, 20)
    assert low == 0
    assert high == pytest.approx(0.161, abs=0.001)  # Wilson's interval for 0 of 20
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 5000), st.data())
def test_an_interval_holds_its_rate(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total + 1e-12
    assert hits / total - 1e-12 <= high <= 1
