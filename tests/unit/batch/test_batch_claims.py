"""Claims: one holder at a time, one result, turns between tenants, order within one."""

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from doubles.batching import batch, entries
from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.records import Batch, Result, State, Task
from sluice_sidecar.batch.schema import connect

GOOD = Result(200, "r", b"{}")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    made = connect(tmp_path / "queue.db")
    yield made
    made.close()


def queued(db: Connection, made: Batch, count: int, **more: int) -> Batch:
    found = store.add_batch(db, made)
    claims.put(db, found.seq, found.tenant, found.urgency, entries(count))
    claims.begin(db, found.seq, count, 1_000.0)
    return found


def claimed(db: Connection, count: int, until: float = 100.0) -> list[Task]:
    return claims.claim(db, count, [lane.id for lane in claims.lanes(db)], until)


def test_the_holder_of_an_older_token_writes_nothing(db: Connection) -> None:
    made = queued(db, batch(), 1)
    first = claimed(db, 1, until=10.0)[0]
    claims.ripen(db, 10.0)
    second = claimed(db, 1)[0]
    assert second.id == first.id
    assert second.token > first.token
    assert not claims.settle(db, first, Result(200, "late", b"1"), now=1_000.0)
    assert claims.settle(db, second, GOOD, now=1_000.0)
    assert not claims.settle(db, second, Result(200, "again", b"2"), now=1_000.0)
    assert [one.result for one in store.finished(db, made.seq)] == [GOOD]
    found = store.by_seq(db, made.seq)
    assert found is not None
    assert (found.completed, found.finished) == (1, True)


def test_a_lease_that_was_renewed_holds(db: Connection) -> None:
    queued(db, batch(), 1)
    task = claimed(db, 1, until=10.0)[0]
    claims.renew(db, [task], 50.0)
    claims.ripen(db, 10.0)
    assert claimed(db, 1) == []
    assert claims.settle(db, task, GOOD, now=1_000.0)


def test_tenants_share_equally_whoever_queued_more(db: Connection) -> None:
    queued(db, batch("a", "anna"), 50)
    queued(db, batch("b", "bert"), 2)
    queued(db, batch("c", "cora"), 50)
    tenants = [task.tenant for task in claimed(db, 8)]
    assert {name: tenants.count(name) for name in ("anna", "bert", "cora")} == {"anna": 3, "bert": 2, "cora": 3}


def test_equal_tenants_take_turns(db: Connection) -> None:
    queued(db, batch("a", "anna"), 5)
    queued(db, batch("b", "bert"), 5)
    turns = []
    for _ in range(4):
        task = claimed(db, 1)[0]
        turns.append(task.tenant)
        claims.settle(db, task, GOOD, now=1_000.0)
    assert turns == ["anna", "bert", "anna", "bert"]


def test_urgent_before_old_before_alike(db: Connection) -> None:
    for id_, urgency in (("old", 3), ("new", 3), ("urgent", 0)):
        made = store.add_batch(db, batch(id_, urgency=urgency))
        alike = entries(4, prefix=lambda at: b"ab"[at % 2 : at % 2 + 1])
        claims.put(db, made.seq, made.tenant, made.urgency, alike)
    order = [(task.batch, task.offset // 10) for task in claimed(db, 12)]
    assert order == [(seq, line) for seq in (3, 1, 2) for line in (0, 2, 1, 3)]


def test_putting_the_same_in_again_changes_nothing(db: Connection) -> None:
    made = queued(db, batch(), 3)
    claims.settle(db, claimed(db, 1)[0], GOOD, now=1_000.0)
    claims.put(db, made.seq, made.tenant, made.urgency, entries(3))
    claims.begin(db, made.seq, 3, 2_000.0)
    assert claims.waiting(db) == 2
    assert len(claimed(db, 9)) == 2


def test_what_is_put_back_counts_as_a_try_only_when_it_failed(db: Connection) -> None:
    queued(db, batch(), 1)
    claims.put_back(db, claimed(db, 1)[0], None)
    task = claimed(db, 1)[0]
    assert task.attempt == 1
    claims.put_back(db, task, 70.0)
    claims.ripen(db, 69.0)
    assert claimed(db, 1) == []
    claims.ripen(db, 70.0)
    assert claimed(db, 1)[0].attempt == 2


def test_a_new_process_takes_up_what_ran(db: Connection) -> None:
    queued(db, batch(), 4)
    held = claimed(db, 3)
    claims.recover(db)
    assert claims.waiting(db) == 4
    assert not claims.settle(db, held[0], GOOD, now=1_000.0)


def test_only_batches_that_came_before_are_late(db: Connection) -> None:
    queued(db, batch("early", created=1_000.0), 1)
    queued(db, batch("later", created=2_000.0), 1)
    lanes = [lane.id for lane in claims.lanes(db)]
    assert [task.batch for task in claims.claim(db, 9, lanes, 10.0, made_before=1_500.0)] == [1]


def test_what_waits_of_a_cancelled_batch_ends_and_what_runs_goes_on(db: Connection) -> None:
    made = queued(db, batch(), 5)
    held = claimed(db, 2)
    claims.cancel(db, made.seq, 1_100.0)
    assert claims.waiting(db) == 0
    for task in held:
        assert claims.settle(db, task, GOOD, now=1_000.0)
    found = store.finalize(db, made.seq, 1_200.0)
    assert found is not None
    assert (found.status, found.completed, found.cancelled) == ("cancelling", 2, 3)
    states = [one.state for one in store.finished(db, made.seq)]
    assert states.count(State.DONE) == 2
    assert states.count(State.CANCELLED) == 3
