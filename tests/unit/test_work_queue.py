"""Workers take keys from the queue, and nothing is lost when they are stopped."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_operator.queue import Backoff, WorkQueue


@asynccontextmanager
async def running(queue: WorkQueue[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def test_one_key_is_never_worked_on_twice_at_once_and_many_are() -> None:
    at_work: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    most = 0
    done = asyncio.Event()
    queue: WorkQueue[str]

    async def work(key: str) -> None:
        nonlocal most
        at_work[key] += 1
        assert at_work[key] == 1
        most = max(most, sum(at_work.values()))
        calls[key] += 1
        if calls[key] < 5:
            queue.add(key)
        for _ in range(3):
            await asyncio.sleep(0)
        at_work[key] -= 1
        if sum(calls.values()) == 30:
            done.set()

    queue = WorkQueue(work, workers=3)
    for key in "abcdef":
        queue.add(key)
    assert queue.depth == 6
    async with running(queue), asyncio.timeout(60):
        await done.wait()
    assert most == 3
    assert set(calls.values()) == {5}


async def test_a_failure_is_told_and_tried_again() -> None:
    told: list[tuple[str, str, float]] = []
    done = asyncio.Event()
    attempts = 0

    async def work(key: str) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise ValueError(f"attempt {attempts}")
        done.set()

    queue: WorkQueue[str] = WorkQueue(
        work,
        backoff=Backoff(first=0.01, most=0.02),
        on_failure=lambda key, error, wait: told.append((key, str(error), wait)),
        chance=lambda: 0.0,
    )
    queue.add("a")
    async with running(queue), asyncio.timeout(60):
        await done.wait()
    assert told == [("a", "attempt 1", 0.01), ("a", "attempt 2", 0.02)]


async def test_a_key_comes_back_after_the_seconds_that_its_work_asked_for() -> None:
    at: list[float] = []
    twice = asyncio.Event()
    now = asyncio.get_running_loop().time

    async def work(key: str) -> float | None:
        at.append(now())
        if len(at) == 2:
            twice.set()
            return None
        return 0.05

    queue: WorkQueue[str] = WorkQueue(work)
    queue.add("a")
    async with running(queue), asyncio.timeout(60):
        await twice.wait()
    assert at[1] - at[0] >= 0.05
    assert queue.waiting == 0


async def test_a_stopped_queue_keeps_its_keys_for_the_next_run() -> None:
    started, finished = asyncio.Event(), asyncio.Event()
    gate = asyncio.Event()
    seen: list[str] = []

    async def work(key: str) -> None:
        started.set()
        await gate.wait()
        seen.append(key)
        if len(seen) == 2:
            finished.set()

    queue: WorkQueue[str] = WorkQueue(work, workers=1)
    queue.add("a")
    queue.add("b")
    async with running(queue), asyncio.timeout(60):
        await started.wait()
    assert (queue.waiting, queue.running, seen) == (2, 0, [])
    gate.set()
    async with running(queue), asyncio.timeout(60):
        await finished.wait()
    assert sorted(seen) == ["a", "b"]


async def test_a_key_added_while_all_workers_wait_is_taken() -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def work(key: str) -> None:
        seen.put_nowait(key)

    queue: WorkQueue[str] = WorkQueue(work)
    async with running(queue), asyncio.timeout(60):
        queue.add("later", delay=60.0)
        for key in ("a", "b"):
            await asyncio.sleep(0)
            queue.add(key)
            assert await seen.get() == key


async def test_it_runs_once_at_a_time() -> None:
    async def work(key: str) -> None:
        raise AssertionError(key)

    queue: WorkQueue[str] = WorkQueue(work)
    async with running(queue):
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already runs"):
            await queue.run()
    with pytest.raises(ValueError, match="1 worker"):
        WorkQueue(work, workers=0)


async def test_keys_whose_work_never_waits_leave_room_for_others_between_them() -> None:
    order: list[str] = []

    async def work(key: str) -> None:
        order.append(key)

    async def renews() -> None:
        while len(order) < 10:
            order.append("renewal")
            await asyncio.sleep(0)

    queue: WorkQueue[str] = WorkQueue(work, workers=1)
    for key in "abc":
        queue.add(key)
    other = asyncio.create_task(renews())
    async with running(queue), asyncio.timeout(60):
        await other
    keys = [order.index(key) for key in "abc"]
    assert all("renewal" in order[one:other] for one, other in itertools.pairwise(keys))
