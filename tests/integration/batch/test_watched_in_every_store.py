"""Who follows batches, and who looks at the queue as a whole, see the same in each store, by one look for all."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from doubles.batching import batch, entries
from doubles.queue_stores import STORES, address, opened_store
from doubles.redis_server import RunningRedis
from sluice_sidecar.batch import notifier
from sluice_sidecar.batch.batches import WINDOW
from sluice_sidecar.batch.gate import Always
from sluice_sidecar.batch.notifier import Notifier
from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.overview import BATCHES, overview
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Result, Sight, State
from sluice_sidecar.batch.stores.store import Seen, Store

GOOD = Result(200, "r", b"{}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"), "--appendfsync", "always")
    asyncio.run(running.start())
    yield running
    running.kill()


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, server: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    monkeypatch.setattr(notifier, "EVERY", 0.01)
    async with opened_store(address(request.param, tmp_path, server)) as one:
        yield one


@pytest.fixture
async def watching(store: Store, tmp_path: Path) -> AsyncIterator[Notifier]:
    one = Notifier(Queue(tmp_path, store=store))
    yield one
    await one.stop()


async def queued(store: Store, id_: str, count: int = 1) -> Batch:
    made = await store.add_batch(batch(id_))
    await store.put(made.seq, made.tenant, made.urgency, entries(count))
    await store.begin(made.seq, count, 1_000.0)
    return made


async def run(store: Store, made: Batch) -> None:
    for task in await store.claim(10, [lane.id for lane in await store.lanes()], 5_000.0):
        await store.settle(task, GOOD, now=1_001.0)
    marked = await store.finalize(made.seq, 1_002.0)
    assert marked is not None
    await store.end(marked, None, None, 1_003.0)


async def followed(sights: AsyncGenerator[Sight], begun: asyncio.Event) -> list[Sight]:
    found = []
    async for one in sights:
        found.append(one)
        begun.set()
    return found


async def test_all_who_watch_are_told_of_the_end_by_looks_that_they_share(
    store: Store, watching: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await queued(store, "a", 2)
    looks: list[int | None] = []
    told: list[Seen | None] = []
    seen = store.seen

    async def counted(seqs: Collection[int], version: int | None = None) -> Any:
        looks.append(version)
        told.append(await seen(seqs, version))
        return told[-1]

    monkeypatch.setattr(store, "seen", counted)
    begun = [asyncio.Event() for _ in range(50)]
    following = [asyncio.create_task(followed(watching.watch(made.seq), one)) for one in begun]
    async with asyncio.timeout(20):
        await asyncio.gather(*(one.wait() for one in begun))
        while len(looks) < 4:
            await asyncio.sleep(0)
        quiet = told[-1]
        await run(store, made)
        found = await asyncio.gather(*following)
    assert quiet is None  # nothing had changed, and nothing was read
    assert len({tuple(map(repr, one)) for one in found}) == 1
    first, last = found[0][0], found[0][-1]
    assert (first.batch.status, first.place) == ("in_progress", (State.QUEUED, "main", 0))
    assert (last.batch.status, last.batch.completed, last.place) == ("completed", 2, None)


async def test_a_queue_that_moves_to_another_store_is_followed_there(
    store: Store, tmp_path: Path, server: RunningRedis
) -> None:
    async with opened_store(address("redis", tmp_path / f"{tmp_path.name}-other", server)) as other:
        made, again = await queued(store, "a"), await queued(other, "a")
        assert made.seq == again.seq
        queue = Queue(tmp_path, store=store)
        watching = Notifier(queue)
        begun = asyncio.Event()
        following = asyncio.create_task(followed(watching.watch(made.seq), begun))
        async with asyncio.timeout(20):
            await begun.wait()
            await run(other, again)
            queue.store = other
            assert (await following)[-1].batch.status == "completed"
        await watching.stop()


async def test_a_batch_that_is_forgotten_ends_its_watch(store: Store, watching: Notifier) -> None:
    made = await queued(store, "a")
    begun = asyncio.Event()
    following = asyncio.create_task(followed(watching.watch(made.seq), begun))
    async with asyncio.timeout(20):
        await begun.wait()
        await run(store, made)
        await store.remove_batch(made.seq)
        await following
    assert [one async for one in watching.watch(1_000_000)] == []


async def test_the_overview_has_what_waits_runs_and_is_under_way(store: Store, tmp_path: Path) -> None:
    for at in range(BATCHES + 2):
        await queued(store, f"b{at}", 2)
    await store.claim(3, [lane.id for lane in await store.lanes()], 5_000.0)
    outlook = Outlook(lambda window: Always(), lambda pool: None, WINDOW)
    found = await overview(Queue(tmp_path, store=store), outlook)
    (window,) = found["windows"]
    assert (window["name"], window["queued"], window["running"]) == (None, 2 * (BATCHES + 2) - 3, 3)
    assert [one["id"] for one in found["batches"]] == [f"b{at}" for at in range(BATCHES)]
