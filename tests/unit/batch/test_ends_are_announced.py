"""A batch's end and its webhook are one transaction: whatever ends it, and never one without the other."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from doubles.batching import batch, entries, opened
from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Kind, Result, State

TARGET = {"window": "night", "url": "https://hooks.example.com/in", "base": "https://sluice.example.com"}
NOTE = {"webhook": TARGET}
End = Callable[[sqlite3.Connection, Batch], None]


def events(db: sqlite3.Connection) -> list[str]:
    return [orjson.loads(body)["type"] for (body,) in db.execute("SELECT body FROM webhooks ORDER BY seq")]


def _settle(db: sqlite3.Connection, made: Batch, status: int) -> None:
    lanes = [lane.id for lane in claims.lanes(db)]
    (task,) = claims.claim(db, 1, lanes, 2_000.0)
    assert claims.settle(db, task, Result(status, "", b"{}"), now=1_500.0)


def _finish(db: sqlite3.Connection, made: Batch) -> None:
    _settle(db, made, 200)
    marked = store.finalize(db, made.seq, 1_600.0)
    assert marked is not None
    store.end(db, marked, None, None, 1_600.0)


def _cancel_then_fail(db: sqlite3.Connection, made: Batch) -> None:
    claims.cancel(db, made.seq, 1_500.0)
    store.fail(db, made.seq, NOTE, 1_600.0)


ENDS: list[tuple[Kind, bool, End, str]] = [
    ("openai", True, _finish, "batch.completed"),
    ("openai", False, lambda db, made: store.fail(db, made.seq, NOTE, 1_500.0), "batch.failed"),
    ("openai", False, _cancel_then_fail, "batch.failed"),
    ("single", True, lambda db, made: _settle(db, made, 200), "response.completed"),
    ("single", True, lambda db, made: _settle(db, made, 400), "response.failed"),
    ("single", True, lambda db, made: claims.cancel(db, made.seq, 1_500.0), "response.cancelled"),
    ("single", True, lambda db, made: claims.give_up(db, made.seq, State.EXPIRED, 1_500.0), "response.failed"),
]


async def made(queue: Queue, kind: Kind, begun: bool) -> Batch:
    def work(db: sqlite3.Connection) -> Batch:
        one = store.add_batch(db, batch(kind=kind, note=NOTE))
        if begun:
            claims.put(db, one.seq, one.tenant, one.urgency, entries(1))
            claims.begin(db, one.seq, 1, 1_000.0)
        return one

    return await queue.do(work)


@pytest.mark.parametrize(("kind", "begun", "end", "event"), ENDS)
async def test_the_end_and_its_event_are_written_together_or_not_at_all(
    tmp_path: Path, kind: Kind, begun: bool, end: End, event: str
) -> None:
    queue = await opened(tmp_path)
    one = await made(queue, kind, begun)

    def broken(db: sqlite3.Connection) -> None:
        end(db, one)
        assert events(db) == [event]
        raise ValueError("as a kill would")

    with pytest.raises(ValueError, match="as a kill would"):
        await queue.do(broken)
    assert await queue.read(events) == []
    assert (await queue.read(lambda db: store.by_seq(db, one.seq))).ended is None  # type: ignore[union-attr]
    await queue.do(lambda db: end(db, one))
    assert await queue.read(events) == [event]
    assert (await queue.read(lambda db: store.by_seq(db, one.seq))).ended is not None  # type: ignore[union-attr]
    await queue.close()


async def test_nothing_is_written_for_who_did_not_ask(tmp_path: Path) -> None:
    queue = await opened(tmp_path)
    one = await queue.do(lambda db: store.add_batch(db, batch(note={"metadata": None})))
    await queue.do(lambda db: store.fail(db, one.seq, {"errors": []}, 1_500.0))
    assert await queue.read(events) == []
    await queue.close()
