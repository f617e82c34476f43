"""The worker: how much runs at one time, what is tried again, what is given up."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from doubles.batching import batch, entries, opened, until
from sluice_sidecar.batch import claims, store
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.gate import Always, Pool
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Finished, Result, State, Task
from sluice_sidecar.batch.worker import Worker


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    made = await opened(tmp_path)
    yield made
    await made.close()


async def put(queue: Queue, count: int) -> Batch:
    made = await queue.do(partial(store.add_batch, batch=batch()))
    await queue.put(made, entries(count))
    return made


async def finished(queue: Queue, made: Batch) -> list[Finished]:
    return await queue.read(lambda db: list(store.finished(db, made.seq)))


def pool(concurrency: int) -> Pool:
    return Pool("", frozenset(), Always(), concurrency, 3_600.0, "RunAnyway")


async def test_callers_who_wait_take_the_places_of_deferred_requests(queue: Queue) -> None:
    asking, going, release = 3, 0, asyncio.Event()

    async def run(task: Task) -> Outcome:
        nonlocal going
        going += 1
        await release.wait()
        return Outcome(Result(200, "", b"{}"))

    async def look() -> int:
        return going

    worker = Worker(queue, run, lambda: [pool(4)], lambda: asking)
    await put(queue, 9)
    await worker.start()
    assert await until(look, lambda found: found > 0) == 1
    asking = 0
    queue.wake()
    assert await until(look, lambda found: found > 1) <= 4
    await until(look, lambda found: found == 4)
    release.set()
    await until(look, lambda found: found == 9)
    await worker.stop()


async def test_an_error_that_may_pass_is_tried_again_until_it_is_the_result(queue: Queue) -> None:
    tries: list[int] = []

    async def run(task: Task) -> Outcome:
        tries.append(task.attempt)
        return Outcome(Result(503, f"try{task.attempt}", b"{}"))

    made = await put(queue, 1)
    worker = Worker(queue, run, lambda: [pool(4)], lambda: 0, attempts=3, pause=0.001)
    await worker.start()
    ended = await until(lambda: finished(queue, made), lambda found: found[0].state >= State.DONE)
    await worker.stop()
    assert tries == [1, 2, 3]
    assert ended[0].state == State.FAILED
    assert ended[0].result == Result(503, "try3", b"{}")


async def test_a_bad_request_is_not_tried_again(queue: Queue) -> None:
    async def run(task: Task) -> Outcome:
        return Outcome(Result(400, "", b"{}"))

    made = await put(queue, 1)
    worker = Worker(queue, run, lambda: [pool(4)], lambda: 0)
    await worker.start()
    ended = await until(lambda: finished(queue, made), lambda found: found[0].state >= State.DONE)
    await worker.stop()
    assert ended[0].state == State.FAILED


async def test_what_ends_the_gateway_each_time_is_given_up(queue: Queue) -> None:
    async def never(task: Task) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    made = await put(queue, 1)
    for _ in range(2):  # a process that claims, and is killed
        assert await queue.do(lambda db: claims.claim(db, 1, [lane.id for lane in claims.lanes(db)], 1.0))
        await queue.do(claims.recover)
    last = Worker(queue, never, lambda: [pool(1)], lambda: 0, attempts=2)
    await last.start()
    ended = await until(lambda: finished(queue, made), lambda found: found[0].state >= State.DONE)
    await last.stop()
    assert ended[0].state == State.FAILED
    assert ended[0].result is not None
    assert b"gateway_ended" in ended[0].result.body


async def test_a_stop_gives_back_what_runs(queue: Queue) -> None:
    async def never(task: Task) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    made = await put(queue, 2)
    worker = Worker(queue, never, lambda: [pool(2)], lambda: 0)
    await worker.start()

    async def running() -> int:
        return worker.running

    await until(running, lambda found: found == 2)
    await worker.stop()
    assert [one.state for one in await finished(queue, made)] == [State.QUEUED] * 2
