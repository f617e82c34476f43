"""Whatever ends a batch or a deferred request writes its event in the same change, once, in each store."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from doubles.batching import batch, entries
from doubles.queue_stores import STORES, address, opened_store
from doubles.redis_server import RunningRedis
from sluice_sidecar.batch.outbox import State as Sent
from sluice_sidecar.batch.records import Batch, Entry, Result, State, Task
from sluice_sidecar.batch.stores.store import Backlog, Store
from sluice_sidecar.batch.webhooks import event_id

GOOD, BAD = Result(200, "r", b"{}"), Result(400, "r", b"{}")
ROOM = Backlog(1_000, 1_000)
URL = "https://hooks.example.com/in?token=t"
HOOK = {"webhook": {"window": "night", "url": URL, "base": "https://sluice.example.com"}}
NOW = 1_500.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"), "--appendfsync", "always")
    asyncio.run(running.start())
    yield running
    running.kill()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, server: RunningRedis) -> AsyncIterator[Store]:
    async with opened_store(address(request.param, tmp_path, server)) as one:
        yield one


async def queued(store: Store, count: int = 1, **more: Any) -> Batch:
    made = await store.add_batch(batch(**{"note": HOOK} | more))
    await store.put(made.seq, made.tenant, made.urgency, entries(count))
    await store.begin(made.seq, count, 1_000.0)
    return made


async def single(store: Store, **more: Any) -> Batch:
    fields = {"kind": "single", "input": "", "note": HOOK} | more
    return await store.accept(batch("req_1", **fields), b"{}", Entry(0, "", 0, 2, "main", b""), ROOM)


async def claimed(store: Store, count: int = 1) -> list[Task]:
    return await store.claim(count, [lane.id for lane in await store.lanes()], 5_000.0)


async def closed(store: Store, made: Batch) -> None:
    marked = await store.finalize(made.seq, NOW)
    assert marked is not None
    for _ in range(2):
        await store.end(marked, None, None, NOW)


async def told(store: Store, made: Batch) -> list[tuple[str, str]]:
    """Type and status of each event, whose shape is looked at."""
    found = []
    for one in await store.outbox.of_batch(made.id):
        event = orjson.loads(one.webhook.body)
        assert (one.state, one.created, one.due) == (Sent.WAITING, NOW, NOW)
        assert (one.webhook.window, one.webhook.url, one.webhook.tenant) == ("night", URL, made.tenant)
        assert event["id"] == one.webhook.id == event_id(event["type"], made.id, URL)
        assert (event["created_at"], event["data"]["id"]) == (NOW, made.id)
        assert event["data"]["url"].startswith("https://sluice.example.com/v1/")
        found.append((event["type"], event["data"]["status"]))
    return found


async def test_a_batch_that_was_run_is_told_when_its_files_are_written_and_not_before(store: Store) -> None:
    made = await queued(store, 2)
    good, bad = await claimed(store, 2)
    await store.settle(good, GOOD, now=NOW)
    await store.settle(bad, BAD, now=NOW)
    assert await told(store, made) == []
    await closed(store, made)
    assert await told(store, made) == [("batch.completed", "completed")]


async def test_an_unreadable_batch_is_told_as_failed(store: Store) -> None:
    made = await store.add_batch(batch(note=HOOK))
    for _ in range(2):
        await store.fail(made.seq, HOOK | {"errors": [{"line": 1}]}, NOW)
    assert await told(store, made) == [("batch.failed", "failed")]


@pytest.mark.parametrize("before", [True, False])
async def test_a_cancelled_batch_is_told_as_cancelled(store: Store, before: bool) -> None:
    if before:  # its input was read
        made = await store.add_batch(batch(note=HOOK))
        await store.cancel(made.seq, NOW)
        await store.put(made.seq, made.tenant, made.urgency, entries(3))
        await store.begin(made.seq, 3, NOW)
    else:
        made = await queued(store, 3)
        await store.cancel(made.seq, NOW)
    await closed(store, made)
    assert await told(store, made) == [("batch.cancelled", "cancelled")]


async def test_a_batch_that_is_out_of_time_is_told_as_expired(store: Store) -> None:
    made = await queued(store, 3, kind="anthropic")
    await store.give_up(made.seq, State.EXPIRED, NOW)
    await closed(store, made)
    assert await told(store, made) == [("batch.expired", "expired")]


@pytest.mark.parametrize(
    ("result", "said"), [(GOOD, ("response.completed", "completed")), (BAD, ("response.failed", "failed"))]
)
async def test_a_deferred_request_is_told_with_its_result(store: Store, result: Result, said: tuple[str, str]) -> None:
    made = await single(store)
    (task,) = await claimed(store)
    assert await store.settle(task, result, now=NOW)
    assert not await store.settle(task, result, now=NOW + 1)
    assert await told(store, made) == [said]


@pytest.mark.parametrize(
    ("ending", "said"),
    [(State.EXPIRED, ("response.failed", "failed")), (State.CANCELLED, ("response.cancelled", "cancelled"))],
)
async def test_a_deferred_request_that_never_ran_is_told_too(
    store: Store, ending: State, said: tuple[str, str]
) -> None:
    made = await single(store)
    if ending is State.CANCELLED:
        await store.cancel(made.seq, NOW)
    await store.give_up(made.seq, ending, NOW)
    assert await told(store, made) == [said]


async def test_who_asked_for_none_gets_none(store: Store) -> None:
    made = await single(store, note={"headers": []})
    (task,) = await claimed(store)
    await store.settle(task, GOOD, now=NOW)
    assert await store.outbox.of_batch(made.id) == []
    assert await store.outbox.counts() == []


async def test_claimed_again_an_event_has_the_same_bytes_and_outlives_its_batch(store: Store) -> None:
    made = await single(store)
    (task,) = await claimed(store)
    await store.settle(task, GOOD, now=NOW)
    (first,) = await store.outbox.claim(NOW, 5, ())
    await store.outbox.postpone(first, NOW + 5, "it answered 500")
    await store.remove_batch(made.seq)
    (again,) = await store.outbox.claim(NOW + 5, 5, ())
    assert (again.webhook, again.tries) == (first.webhook, 2)
    await store.outbox.settle(again, Sent.DELIVERED)
    assert [one.state for one in await store.outbox.of_batch(made.id)] == [Sent.DELIVERED]
