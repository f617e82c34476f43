"""The queue in a real Redis that is killed, away, full, or not set up to keep anything."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.batching import batch, entries
from doubles.redis_server import RunningRedis, free_port
from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.outbox import State as Sent
from sluice_sidecar.batch.outbox import Webhook
from sluice_sidecar.batch.records import Entry, Result, Task
from sluice_sidecar.batch.stores.redis import COMMANDS, LONGEST_LEASE, RESULT_BYTES, RedisStore
from sluice_sidecar.batch.stores.redis_link import Server
from sluice_sidecar.batch.stores.store import Backlog

GOOD = Result(200, "r", b"{}")
ROOM = Backlog(100_000, 100_000)
ENTRY = Entry(0, "", 0, 4, "main", b"")
HOOK = {"webhook": {"window": "night", "url": "https://a.example.com/in", "base": "https://sluice.example.com"}}
WEBHOOK = Webhook("evt_1", "night", "https://a.example.com/in", "batch_1", b"{}")


def store_of(server: RunningRedis, user: str | None = None, password: str | None = None) -> RedisStore:
    async def where() -> Server:
        return "127.0.0.1", server.port, user, password

    return RedisStore("sluice:faults:", where)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningRedis]:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as running:
        yield running


@pytest.fixture
async def store(server: RunningRedis) -> AsyncIterator[RedisStore]:
    made = store_of(server)
    yield made
    await made.close()


async def accepted(store: RedisStore, id_: str, body: bytes = b"body") -> int:
    return (await store.accept(batch(id_, kind="single", input=""), body, ENTRY, ROOM)).seq


async def claimed(store: RedisStore, count: int, until: float = 100.0) -> list[Task]:
    return await store.claim(count, [lane.id for lane in await store.lanes()], until)


async def test_killed_in_the_middle_it_keeps_what_was_acknowledged(server: RunningRedis, store: RedisStore) -> None:
    kept: dict[str, int] = {}
    settled: dict[int, bytes] = {}
    told: set[int] = set()

    async def caller(name: int) -> None:
        for at in range(10_000):
            try:
                kept[f"{name}.{at}"] = await accepted(store, f"{name}.{at}")
            except Problem as problem:
                told.add(problem.status)
                return

    async def worker() -> None:
        while True:
            try:
                for task in await claimed(store, 4):
                    body = b"answer %d" % task.batch
                    if await store.settle(task, Result(200, "r", body), now=1.0):
                        settled[task.batch] = body
            except Problem as problem:
                told.add(problem.status)
                return

    running = [asyncio.create_task(caller(name)) for name in range(8)] + [asyncio.create_task(worker())]
    async with asyncio.timeout(20):
        while len(kept) < 400 or len(settled) < 40:
            await asyncio.sleep(0)
    server.kill()
    await asyncio.gather(*running)
    assert told == {503}
    await server.start()
    for id_, seq in kept.items():
        found = await store.batch("default", "single", id_)
        assert found is not None
        assert found.seq == seq
    for seq, body in settled.items():
        result = await store.result(seq)
        assert result is not None
        assert result.body == body


async def test_away_it_says_so_and_goes_on_when_it_is_back(server: RunningRedis, store: RedisStore) -> None:
    await accepted(store, "before")
    server.kill()
    for call in (accepted(store, "during"), store.lanes(), store.check_room(1)):
        with pytest.raises(Problem) as caught:
            await call
        assert (caught.value.status, caught.value.code) == (503, "queue_unavailable")
    await server.start()
    await accepted(store, "after")
    assert await store.waiting() == 2


async def test_without_an_append_only_file_nothing_is_acknowledged(server: RunningRedis, store: RedisStore) -> None:
    await server.do("CONFIG", "SET", "appendonly", "no")
    with pytest.raises(Problem, match="set appendonly yes") as caught:
        await accepted(store, "lost")
    assert caught.value.status == 503


async def test_flushed_once_a_second_it_is_waited_for(tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "everysec") as server:
        store = store_of(server)
        await accepted(store, "kept")
        server.kill()
        await server.start()
        assert await store.batch("default", "single", "kept") is not None
        await store.close()


async def test_one_that_drops_keys_is_not_used(server: RunningRedis, store: RedisStore) -> None:
    await server.do("CONFIG", "SET", "maxmemory", "64mb", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(Problem, match="maxmemory-policy noeviction") as caught:
        await store.check_room(1)
    assert caught.value.status == 503


async def test_full_it_refuses_and_still_takes_the_results_of_what_runs_and_tells_of_them(
    server: RunningRedis, store: RedisStore
) -> None:
    await server.do("CONFIG", "SET", "maxmemory", "64mb")
    await store.check_room(1)
    with pytest.raises(Problem) as caught:
        await store.check_room(60 << 20)
    assert (caught.value.status, caught.value.code) == (429, "storage_full")
    seq = (await store.accept(batch("first", kind="single", input="", note=HOOK), b"body", ENTRY, ROOM)).seq
    task = (await claimed(store, 1))[0]
    await server.do("CONFIG", "SET", "maxmemory", "1mb")
    with pytest.raises(Problem) as caught:
        await accepted(store, "more")
    assert (caught.value.status, caught.value.code) == (429, "storage_full")
    assert await store.batch("default", "single", "more") is None
    assert await store.settle(task, GOOD, now=1.0)
    (webhook,) = await store.outbox.claim(1.0, 5, ())
    await store.outbox.postpone(webhook, 2.0, "it answered 500")
    (webhook,) = await store.outbox.claim(2.0, 5, ())
    await store.outbox.settle(webhook, Sent.DELIVERED)
    await server.do("CONFIG", "SET", "maxmemory", "0")
    assert await store.result(seq) == GOOD
    assert await store.waiting() == 0


async def test_a_lease_from_before_the_clock_moved_back_ends(store: RedisStore) -> None:
    await accepted(store, "a")
    late = (await claimed(store, 1, until=1_000_000.0))[0]
    await store.ripen(1_000.0)
    assert await claimed(store, 1) == []
    await store.ripen(1_000.0 + LONGEST_LEASE)
    again = (await claimed(store, 1))[0]
    assert not await store.settle(late, GOOD, now=1.0)
    assert await store.settle(again, GOOD, now=1.0)


async def test_what_a_dead_process_began_to_cancel_another_ends(store: RedisStore) -> None:
    made = await store.add_batch(batch())
    for at in range(0, 6_000, 500):
        await store.put(made.seq, made.tenant, made.urgency, entries(6_000)[at : at + 500])
    await store.begin(made.seq, 6_000, 1.0)
    await store._link.write("cancel", made.seq, 1.0)  # and no step more
    assert 0 < await store.waiting() < 6_000
    await store.ripen(2.0)
    assert await store.waiting() == 0
    assert [one.id for one in await store.ripe()] == [made.id]


async def test_many_workers_and_acceptors_run_each_request_once(server: RunningRedis) -> None:
    stores = [store_of(server) for _ in range(4)]
    seqs = await asyncio.gather(*(accepted(stores[at % 2], f"r{at}") for at in range(200)))
    took: list[int] = []

    async def worker(store: RedisStore) -> None:
        while tasks := await claimed(store, 3):
            took.extend([task.batch for task in tasks if await store.settle(task, GOOD, now=1.0)])

    await asyncio.gather(*(worker(store) for store in stores[1:]))
    assert sorted(took) == sorted(seqs)
    await asyncio.gather(*(store.close() for store in stores))


async def test_its_user_needs_the_commands_that_are_named_and_its_own_keys(server: RunningRedis) -> None:
    rights = [f"+{name}" for name in COMMANDS]
    await server.do(
        "ACL", "SETUSER", "queue", "on", ">secret", "resetkeys", "~sluice:faults:*", "-@all", "+@connection", *rights
    )
    store = store_of(server, "queue", "secret")
    await store.check_room(1)
    await accepted(store, "a")
    await store.settle((await claimed(store, 1))[0], GOOD, now=1.0)
    made = await store.add_batch(batch())
    await store.put(made.seq, made.tenant, made.urgency, entries(3))
    await store.begin(made.seq, 3, 1.0)
    await store.claim(1, [lane.id for lane in await store.lanes()], 5.0, made_before=2_000.0)
    await store.cancel(made.seq, 1.0)
    await store.ripen(100.0)
    await store.forget(1e9, 1.0)
    assert await store.seen([made.seq]) is not None
    await store.accept(batch("told", kind="single", input="", note=HOOK), b"body", ENTRY, ROOM)
    for task in await claimed(store, 5):
        await store.settle(task, GOOD, now=1.0)
    outbox = store.outbox
    (webhook,) = await outbox.claim(1.0, 5, ())
    await outbox.postpone(webhook, 2.0, "it answered 500", counts=False)
    (webhook,) = await outbox.claim(2.0, 5, ())
    assert await outbox.end(webhook.webhook.url, 3.0) == 1
    assert await outbox.replay(4.0) == await outbox.replay(4.0, "told") == 1
    (webhook,) = await outbox.claim(5.0, 5, ())
    await outbox.settle(webhook, Sent.GIVEN_UP, "it answered 500")
    assert await outbox.next_due(()) == math.inf
    assert len(await outbox.counts()) == len(await outbox.of_tenant("default", None, 5)) == 1
    assert [await outbox.add(WEBHOOK, 6.0) for _ in range(2)] == [True, False]
    assert await outbox.forget(1e9) == 1
    await store.close()
    keys = await server.do("KEYS", "*")
    assert keys
    assert all(key.startswith(b"sluice:faults:{sluice:faults:batch}:") for key in keys)


async def test_in_a_cluster_all_keys_lie_in_one_slot(tmp_path: Path) -> None:
    # Its own choice of a second port, 10,000 above the first, need not exist.
    cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always", *cluster) as server:
        await server.do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        async with asyncio.timeout(20):
            while b"cluster_state:ok" not in await server.do("CLUSTER", "INFO"):
                await asyncio.sleep(0)
        store = store_of(server)
        seq = await accepted(store, "a")
        await store.settle((await claimed(store, 1))[0], GOOD, now=1.0)
        assert await store.result(seq) == GOOD
        await store.close()


async def test_an_answer_beyond_bounds_is_an_error(store: RedisStore) -> None:
    seq = await accepted(store, "a")
    task = (await claimed(store, 1))[0]
    assert await store.settle(task, Result(200, "r", bytes(RESULT_BYTES + 1)), now=1.0)
    result = await store.result(seq)
    assert result is not None
    assert result.status == 502
    assert b"answer_too_large" in result.body


async def test_a_server_that_forgot_the_script_is_told_it_again(server: RunningRedis, store: RedisStore) -> None:
    await accepted(store, "a")
    await server.do("SCRIPT", "FLUSH")
    await accepted(store, "b")
    assert await store.waiting() == 2


async def test_closed_it_leaves_nobody_waiting(server: RunningRedis) -> None:
    store = store_of(server)
    await accepted(store, "a")
    asked = [asyncio.create_task(accepted(store, f"b{at}")) for at in range(300)]
    await asyncio.sleep(0)
    await store.close()
    found = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
    assert all(isinstance(one, int | asyncio.CancelledError) for one in found)
