"""Workers on one folder write their own rows and see the sum."""

from pathlib import Path

from doubles.bookkeeping import NOON, Call, decision, hit, route
from sluice_sidecar.ledger.ledger import Ledger


async def test_every_worker_reads_the_sum(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path, worker=i, workers=3) for i in range(3)]
    for ledger in ledgers:
        await ledger.start()
    for i, ledger in enumerate(ledgers):
        for n in range(i + 1):
            ledger.record(hit(id=f"w{i}-{n}", at=NOON + i + n / 10), route())
        await ledger.flush()
    await ledgers[0].flush()
    assert ledgers[0].savings()["requests"] == 6
    assert [one["id"] for one in ledgers[0].recent(3)] == ["w2-2", "w2-1", "w2-0"]
    assert len({one["id"] for one in ledgers[0].recent(100)}) == len(ledgers[0].recent(100)) == 6
    for ledger in ledgers:
        await ledger.close()
    # Fewer workers later: what the others counted stays.
    alone = Ledger(tmp_path)
    await alone.start()
    assert alone.savings()["requests"] == 6
    await alone.close()


async def test_days_that_are_over_are_gathered_but_stay_on_disk_by_day(tmp_path: Path) -> None:
    now = NOON
    ledger = Ledger(tmp_path, clock=lambda: now)
    await ledger.start()
    for day in range(10):
        now = NOON + day * 86_400
        ledger.record(hit(at=now), route())
        await ledger.flush()
    assert len(ledger.totals()) == 3
    assert sum(total["requests"] for total in ledger.totals()) == 10
    await ledger.close()
    again = Ledger(tmp_path, clock=lambda: NOON)
    await again.start()
    assert len(again.totals()) == 10
    await again.close()


async def test_a_late_decision_adds_to_a_day_that_is_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)  # by the real clock the decisions' day is long over
    await ledger.start()
    for _ in range(3):
        ledger.record(hit(at=NOON), route())
        await ledger.flush()
    await ledger.close()
    again = Ledger(tmp_path)
    await again.start()
    assert again.savings()["requests"] == ledger.savings()["requests"] == 3
    await again.close()


async def test_what_was_learned_of_the_reference_is_kept(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    await first.start()
    first.record(decision(attempts=(Call("large", 2.5),)), route())
    await first.close()
    second = Ledger(tmp_path)
    await second.start()
    one = hit(backend="small", took=0.1)
    second.record(one, route())
    await second.close()
    assert one.reference is not None
    assert (one.reference.latency, one.reference.basis) == (2.5, "estimate")
