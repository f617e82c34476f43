"""Figures of windows: what waits, what came of it, what it saved against the real-time price."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import orjson

from doubles.bookkeeping import Call, decision, hit, route
from sluice_operator.reports import parse
from sluice_operator.token_identity import TokenIdentity
from sluice_sidecar.ask import Usage
from sluice_sidecar.batch import figures
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.figures import Settled, Tally, Waiting
from sluice_sidecar.batch.gate import Always, Pool
from sluice_sidecar.batch.records import Result
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger

NIGHT = Pool("night", frozenset({"support"}), Always(), 4, 3_600.0, "RunAnyway")


def outcome(of: Decision, status: int = 200) -> Outcome:
    Ledger().record(of, route())
    return Outcome(Result(status, of.id, b"{}"), decision=of)


def came(*runs: tuple[Outcome, bool, bool]) -> Settled:
    tally = Tally()
    for one, kept, late in runs:
        tally.ran(NIGHT, one, kept=kept, late=late)
    return tally.settled["night"]


def test_what_came_of_requests_is_counted_once_they_are_settled() -> None:
    good, bad = Outcome(Result(200, "", b"")), Outcome(Result(400, "", b""))
    found = came((good, True, False), (good, True, True), (bad, True, False), (good, False, True))
    assert (found.done, found.failed, found.missed) == (2, 1, 1)


def test_a_cheaper_backend_saves_the_difference_and_the_cache_the_whole_price() -> None:
    usage = Usage(1_000, 0, 1_000)
    small = decision(backend="small", usage=usage, attempts=(Call("small", usage=usage),))
    cached = hit(usage=usage)
    found = came((outcome(small), True, False), (outcome(cached), True, False))
    assert small.saved > 0
    assert cached.saved > small.saved
    assert found.saved == Counter({small.currency: small.saved + cached.saved})


def test_a_try_that_came_to_nothing_and_an_answer_that_was_not_kept_only_cost() -> None:
    usage = Usage(1_000, 0, 1_000)
    calls: Sequence[Call] = (Call("small", usage=usage),)
    failed = decision(status=502, error="broken", usage=usage, attempts=calls)
    twice = decision(backend="small", usage=usage, attempts=calls)
    found = came((outcome(failed, 502), False, False), (outcome(twice), False, False))
    assert failed.cost > 0
    assert found.saved == Counter({failed.currency: -failed.cost - twice.cost})


def test_the_operator_reads_what_the_report_says() -> None:
    settled = {"night": Settled(3, 1, 1, Counter({"USD": -(10**11), "EUR": 2 * 10**12, "": 5}))}
    waits = {"night": Waiting(5, 2, 1_000.5), "idle": Waiting(), "": Waiting(7, 1, 9.0)}
    found = figures.report(waits, settled)
    assert sorted(found) == ["idle", "night"]
    read = parse(orjson.dumps({"windows": found}), TokenIdentity("team", "gateway"), 1.0).windows
    night = read["night"]
    assert (night.queued, night.running, night.oldest, night.done, night.failed, night.missed) == (
        5, 2, 1_000.5, 3, 1, 1,
    )  # fmt: skip
    assert (night.saved, night.currency) == (Decimal(2), "EUR")
    assert (read["idle"].oldest, read["idle"].saved) == (None, Decimal(0))
