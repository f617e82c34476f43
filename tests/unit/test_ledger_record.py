"""What one request cost and saved."""

import pytest

from doubles.bookkeeping import Call, decision, hit, route
from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Price
from sluice_sidecar.ledger.decision import Decision, text
from sluice_sidecar.ledger.ledger import Ledger

LARGE_COST, SMALL_COST = 100 * 2_000_000 + 50 * 8_000_000, 100 * 20_000 + 50 * 60_000


def recorded(one: Decision, ledger: Ledger | None = None) -> Decision:
    (ledger or Ledger()).record(one, route())
    return one


def test_a_call_to_the_reference_saves_nothing() -> None:
    one = recorded(decision(attempts=(Call("large", 0.9),)))
    assert (one.cost, one.saved, one.currency) == (LARGE_COST, 0, "USD")
    assert one.reference is not None
    assert (one.reference.latency, one.reference.basis) == (0.9, "measured")


def test_a_cheaper_backend_saves_the_difference() -> None:
    one = recorded(decision(backend="small", attempts=(Call("small"),)))
    assert (one.cost, one.saved) == (SMALL_COST, LARGE_COST - SMALL_COST)


def test_an_escalation_pays_every_call() -> None:
    one = recorded(decision(attempts=(Call("small", verdict="unsure"), Call("large"))))
    assert one.cost == SMALL_COST + LARGE_COST
    assert one.saved == -SMALL_COST
    assert [part.backend for part in one.spent] == ["small", "large"]


def test_a_hit_costs_nothing_and_saves_the_whole_answer() -> None:
    one = recorded(hit())
    assert (one.cost, one.saved) == (0, LARGE_COST)
    assert one.reference is not None
    assert (one.reference.latency, one.reference.basis) == (1.2, "original")


def test_cached_input_has_its_own_price() -> None:
    usage = Usage(100, 80, 50)
    assert recorded(decision(usage=usage, attempts=(Call("large", usage=usage),))).cost == (
        20 * 2_000_000 + 80 * 500_000 + 50 * 8_000_000
    )


def test_a_failed_request_claims_no_saving() -> None:
    one = recorded(
        decision(status=502, error="connect_failed", attempts=(Call("large", usage=None, outcome="connect_failed"),))
    )
    assert (one.cost, one.saved, one.reference) == (0, 0, None)


def test_a_failure_after_a_paid_call_is_a_loss() -> None:
    one = recorded(
        decision(status=504, error="timeout", attempts=(Call("small"), Call("large", usage=None, outcome="timeout")))
    )
    assert (one.cost, one.saved) == (SMALL_COST, -SMALL_COST)


def test_missing_usage_is_estimated_and_marked() -> None:
    one = recorded(decision(usage=None, prompt_chars=401, answer_chars=200, attempts=(Call("large", usage=None),)))
    assert one.usage == Usage(101, 0, 50)
    assert one.estimated
    assert one.cost == 101 * 2_000_000 + 50 * 8_000_000


def test_a_stream_that_its_caller_left_is_paid_for_what_came() -> None:
    left = Call("large", outcome="cancelled", usage=None, first_token=0.1)
    one = recorded(
        decision(status=499, error="caller_left", usage=None, prompt_chars=400, answer_chars=80, attempts=(left,))
    )
    assert one.cost == 100 * 2_000_000 + 20 * 8_000_000
    assert one.estimated


def test_an_estimate_by_the_courier_is_marked_too() -> None:
    assert recorded(decision(attempts=(Call("large", estimated=True),))).estimated


def test_time_is_estimated_from_other_calls_to_the_reference() -> None:
    ledger = Ledger()
    for completion in range(10, 40):
        usage = Usage(100, 0, completion)
        recorded(decision(usage=usage, attempts=(Call("large", 0.5 + 0.01 * completion, usage),)), ledger)
    one = recorded(decision(backend="small", usage=Usage(100, 0, 100), attempts=(Call("small"),)), ledger)
    assert one.reference is not None
    assert one.reference.basis == "estimate"
    assert one.reference.latency == pytest.approx(1.5, abs=1e-3)


def test_time_is_unknown_before_the_reference_was_seen() -> None:
    one = recorded(decision(backend="small", attempts=(Call("small"),)))
    assert one.reference is not None
    assert (one.reference.latency, one.reference.low, one.reference.basis) == (None, None, "unknown")


def test_an_answer_of_another_backend_stands_in_when_nothing_else_is_known() -> None:
    one = recorded(hit(backend="small", took=0.3))
    assert one.reference is not None
    assert (one.reference.latency, one.reference.basis) == (0.3, "original")


def test_another_model_behind_the_same_name_starts_a_new_fit() -> None:
    ledger, before = Ledger(), route()
    ledger.record(decision(attempts=(Call("large", 5.0),)), before)
    large = before.backends["large"].model_copy(update={"model": "bigger"})
    after = before.model_copy(update={"backends": {**before.backends, "large": large}})
    assert ledger.reference(before, Usage(100, 0, 50)).latency == 5.0
    assert ledger.reference(after, Usage(100, 0, 50)).latency is None


def test_currencies_are_never_added_up() -> None:
    euros = route(small=Price.model_validate({"input": "1", "output": "1", "currency": "EUR"}))
    ledger, one = Ledger(), decision(attempts=(Call("small"), Call("large")))
    ledger.record(one, euros)
    assert (one.currency, one.cost) == ("USD", LARGE_COST)
    money = ledger.savings()["money"]
    assert money["USD"]["cost"] == text(LARGE_COST)
    assert money["EUR"] == {
        "cost": text(150 * 1_000_000),
        "without": "0",
        "saved": text(-150 * 1_000_000),
        "share": None,
    }


def test_a_route_without_prices_is_free_and_says_so() -> None:
    ledger, one = Ledger(), decision(attempts=(Call("large"),))
    ledger.record(one, route(small=None, large=None))
    report = ledger.savings()
    assert (one.cost, one.saved, report["money"], report["unpriced"]) == (0, 0, {}, 1)


def test_a_request_without_a_route_is_counted() -> None:
    ledger = Ledger()
    ledger.record(decision(route="", backend="", status=404, error="model_not_found", usage=None, cache="none"), None)
    assert (ledger.savings()["requests"], ledger.savings()["errors"]) == (1, 1)


def test_background_calls_cost_without_being_requests() -> None:
    ledger = Ledger()
    spent = ledger.spend(route(), (Call("large"),), "mirror")
    report = ledger.savings()
    assert [part.cost for part in spent] == [LARGE_COST]
    assert report["requests"] == 0
    assert report["money"]["USD"]["saved"] == text(-LARGE_COST)


def test_recent_is_newest_first_and_bounded() -> None:
    ledger = Ledger()
    for i in range(1200):
        ledger.record(hit(id=f"h{i}"), route())
    recent = ledger.recent(5000)
    assert len(recent) == 1000
    assert [one["id"] for one in recent[:2]] == ["h1199", "h1198"]
    assert len(ledger.recent(3)) == 3
