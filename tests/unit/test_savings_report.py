"""The report over many decisions."""

import pytest

from doubles.bookkeeping import NOON, Call, decision, hit, route
from sluice_sidecar.ask import Usage
from sluice_sidecar.ledger.decision import text
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.ledger.savings import bucket, edge, percentile


def test_an_empty_ledger_reports_zeros() -> None:
    report = Ledger().savings()
    assert report["requests"] == 0
    assert report["hit_rate"] == {"total": 0.0}
    assert report["latency"]["now"] is None


def test_hit_rate_by_strategy() -> None:
    ledger = Ledger()
    for one in (hit(), hit(), hit(cache="paraphrase", similarity=0.97), decision(attempts=(Call("large"),))):
        ledger.record(one, route())
    report = ledger.savings()
    assert report["hit_rate"] == {"total": 0.75, "identical": 0.5, "paraphrase": 0.25}
    assert report["cache"] == {"identical": 2, "paraphrase": 1, "miss": 1}


def test_latency_is_compared_over_the_same_requests() -> None:
    ledger = Ledger()
    ledger.record(decision(backend="small", latency=50.0, attempts=(Call("small"),)), route())  # unknown reference
    for _ in range(99):
        ledger.record(hit(latency=0.001, took=1.0), route())
    latency = ledger.savings()["latency"]
    assert (latency["compared"], latency["unknown"]) == (99, 1)
    assert latency["now"]["mean"] == pytest.approx(0.001)
    assert latency["without"]["mean"] == pytest.approx(1.0)
    assert latency["now"]["p95"] == pytest.approx(0.001, rel=0.06)
    assert sum(latency["distribution"]["now"]) == sum(latency["distribution"]["without"]) == 99
    assert len(latency["distribution"]["edges"]) == len(latency["distribution"]["now"]) + 1


def test_the_mean_without_has_an_interval_around_it() -> None:
    ledger = Ledger()
    for i in range(20):
        usage = Usage(100, 0, 10 + i)
        ledger.record(decision(usage=usage, attempts=(Call("large", 1.0 + 0.3 * (i % 3), usage),)), route())
    for _ in range(20):
        ledger.record(hit(backend="small", took=0.2), route())
    without = ledger.savings()["latency"]["without"]
    assert without["low"] < without["mean"] < without["high"]


def test_tokens_answered_and_bought_differ_by_the_cache() -> None:
    ledger = Ledger()
    ledger.record(decision(attempts=(Call("small"), Call("large"))), route())
    ledger.record(hit(), route())
    tokens = ledger.savings()["tokens"]
    assert tokens["answered"] == {"prompt": 200, "cached": 0, "completion": 100}
    assert tokens["bought"] == {"prompt": 200, "cached": 0, "completion": 100}


def test_totals_are_by_day_and_name_it() -> None:
    ledger = Ledger()
    ledger.record(hit(at=NOON), route())
    ledger.record(hit(at=NOON + 86_400), route())
    assert [total["day"] for total in ledger.totals()] == ["2025-06-15", "2025-06-16"]
    assert {total["saved"] for total in ledger.totals()} == {text(600_000_000)}


@pytest.mark.parametrize("seconds", [0.00002, 0.0004, 0.013, 1.7, 55.0, 900.0])
def test_a_bucket_holds_its_duration(seconds: float) -> None:
    index = bucket(seconds)
    assert edge(index - 1) <= seconds <= edge(index)


def test_extreme_durations_have_a_bucket() -> None:
    assert bucket(0.0) == 0
    assert bucket(-1.0) == 0
    assert bucket(1e9) == bucket(1e6)


def test_percentiles_are_right_within_a_bucket() -> None:
    durations = [0.001 * i for i in range(1, 1001)]
    histogram: dict[int, int] = {}
    for one in durations:
        histogram[bucket(one)] = histogram.get(bucket(one), 0) + 1
    assert percentile(histogram, 0.5) == pytest.approx(0.5, rel=0.05)
    assert percentile(histogram, 0.95) == pytest.approx(0.95, rel=0.05)
    assert percentile({}, 0.5) is None
