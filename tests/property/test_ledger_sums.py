"""Totals are the sum of their decisions, and saved is the reference minus the cost, to the last digit."""

import asyncio
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.bookkeeping import NOON, Call, decision, route
from sluice_sidecar.ask import Usage
from sluice_sidecar.ledger.decision import Decision, text
from sluice_sidecar.ledger.ledger import Ledger

usages = st.builds(lambda prompt, cached, out: Usage(prompt, min(cached, prompt), out), *[st.integers(0, 5000)] * 3)
calls = st.builds(
    Call,
    backend=st.sampled_from(["small", "large"]),
    seconds=st.floats(0, 100),
    usage=st.none() | usages,
    outcome=st.sampled_from([200, 429, 500, "timeout", "cancelled"]),
)
decisions = st.builds(
    decision,
    at=st.floats(NOON, NOON + 3 * 86_400),
    cache=st.sampled_from(["identical", "paraphrase", "miss", "bypass", "flight", "stale", "none"]),
    backend=st.sampled_from(["small", "large"]),
    status=st.sampled_from([200, 200, 200, 400, 502]),
    usage=st.none() | usages,
    prompt_chars=st.integers(0, 10_000),
    answer_chars=st.integers(0, 10_000),
    latency=st.floats(0, 200),
    took=st.none() | st.floats(0, 100),
    attempts=st.lists(calls, max_size=3).map(tuple),
)


def sums(ones: list[Decision]) -> dict[str, object]:
    return {
        "requests": len(ones),
        "cost": sum(one.cost for one in ones),
        "reference": sum(one.reference.cost for one in ones if one.reference is not None),
        "prompt": sum(one.usage.prompt for one in ones if one.usage is not None),
        "bought": sum(part.usage.completion for one in ones for part in one.spent),
    }


@given(st.lists(decisions, max_size=30))
@settings(max_examples=60)
def test_totals_are_the_sum_of_decisions(ones: list[Decision]) -> None:
    ledger = Ledger()
    for one in ones:
        ledger.record(one, route())
    wanted, totals = sums(ones), ledger.totals()
    assert sum(total["requests"] for total in totals) == wanted["requests"]
    assert text(sum(one.saved for one in ones)) == text(sum(int(Decimal(t["saved"]) * 10**12) for t in totals))
    assert sum(int(Decimal(total["cost"]) * 10**12) for total in totals) == wanted["cost"]
    assert sum(int(Decimal(total["reference_cost"]) * 10**12) for total in totals) == wanted["reference"]
    assert sum(total["prompt"] for total in totals) == wanted["prompt"]
    assert sum(total["bought_completion"] for total in totals) == wanted["bought"]


@given(decisions)
def test_saved_is_reference_minus_cost(one: Decision) -> None:
    Ledger().record(one, route())
    assert one.saved == (one.reference.cost if one.reference else 0) - one.cost
    assert one.cost == sum(part.cost for part in one.spent)


@given(st.lists(decisions, min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_a_restart_changes_no_total(ones: list[Decision]) -> None:
    async def run() -> None:
        with TemporaryDirectory() as folder:
            first = Ledger(Path(folder), clock=lambda: NOON)
            await first.start()
            for one in ones:
                first.record(one, route())
            await first.close()
            second = Ledger(Path(folder), clock=lambda: NOON)
            await second.start()
            await second.close()
            assert second.totals() == first.totals()
            assert {one["id"] for one in second.recent(100)} == {one.id for one in ones}

    asyncio.run(run())
