"""What every store of deferred requests does, on SQLite and on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from doubles.batching import batch, entries, opened
from doubles.redis_server import RunningRedis
from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.records import Batch, Entry, File, Finished, Result, State, Task
from sluice_sidecar.batch.store import KeyReused
from sluice_sidecar.batch.stores.redis import RedisStore
from sluice_sidecar.batch.stores.redis_link import Server
from sluice_sidecar.batch.stores.sqlite import SqliteStore
from sluice_sidecar.batch.stores.store import Backlog, Idempotency, Store

GOOD = Result(200, "r", b"{}")
ROOM = Backlog(1_000, 2_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"), "--appendfsync", "always")
    asyncio.run(running.start())
    yield running
    running.kill()


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, server: RunningRedis) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        queue = await opened(tmp_path)
        yield SqliteStore(queue)
        await queue.close()
        return

    async def where() -> Server:
        return "127.0.0.1", server.port, None, None

    made = RedisStore(f"sluice:{tmp_path.name}:", where)
    yield made
    await made.close()


async def queued(store: Store, made: Batch, count: int, prefix: bytes = b"") -> Batch:
    found = await store.add_batch(made)
    await store.put(found.seq, found.tenant, found.urgency, entries(count, prefix=lambda _: prefix))
    await store.begin(found.seq, count, 1_000.0)
    return found


async def claimed(store: Store, count: int, until: float = 100.0, before: float | None = None) -> list[Task]:
    return await store.claim(count, [lane.id for lane in await store.lanes()], until, made_before=before)


async def seen(store: Store, seq: int) -> Batch:
    found = await store.by_seq(seq)
    assert found is not None
    return found


async def ended(store: Store, seq: int) -> list[Finished]:
    return [one async for one in store.finished(seq)]


def file(id_: str, *, tenant: str = "default", created: float = 1.0, expires: float = 1e9) -> File:
    return File(id_, tenant, "batch", f"{id_}.jsonl", 10, created, expires)


async def test_of_two_workers_with_one_lease_the_newer_one_counts(store: Store) -> None:
    made = await queued(store, batch(), 1)
    first = (await claimed(store, 1, until=10.0))[0]
    await store.ripen(10.0)
    assert not await store.settle(first, Result(200, "early", b"0"), now=1_000.0)
    second = (await claimed(store, 1))[0]
    assert (second.id, second.attempt) == (first.id, 2)
    assert not await store.settle(first, Result(200, "late", b"1"), now=1_000.0)
    assert not await store.put_back(first, None)
    assert await store.settle(second, GOOD, now=1_000.0)
    assert not await store.settle(second, Result(200, "again", b"2"), now=1_000.0)
    assert [one.result for one in await ended(store, made.seq)] == [GOOD]
    assert (await seen(store, made.seq)).completed == 1


async def test_a_lease_that_was_renewed_holds(store: Store) -> None:
    await queued(store, batch(), 1)
    task = (await claimed(store, 1, until=10.0))[0]
    await store.renew([task], 50.0)
    await store.ripen(10.0)
    assert await claimed(store, 1) == []
    assert await store.settle(task, GOOD, now=1_000.0)


async def test_a_claim_tells_all_that_a_worker_needs(store: Store) -> None:
    note = {"headers": [["anthropic-beta", "b\u00e9"]], "models": ["auto", "small"]}
    made = await queued(store, batch(note=note), 3)
    tasks = await claimed(store, 3)
    assert [(task.id & 0xFFFFF, task.offset, task.length, task.attempt) for task in tasks] == [
        (0, 0, 10, 1), (1, 10, 10, 1), (2, 20, 10, 1),
    ]  # fmt: skip
    task = tasks[0]
    assert (task.batch, task.tenant, task.route, task.path, task.input, task.kind) == (
        made.seq, "default", "main", "/v1/chat/completions", "file-1", "openai",
    )  # fmt: skip
    assert task.headers == ((b"anthropic-beta", "b\u00e9".encode("latin-1")),)
    assert task.models == frozenset({"auto", "small"})


async def test_tenants_share_equally_whoever_queued_more(store: Store) -> None:
    await queued(store, batch("a", "anna"), 50)
    await queued(store, batch("b", "bert"), 2)
    await queued(store, batch("c", "cora"), 50)
    tenants = [task.tenant for task in await claimed(store, 8)]
    assert {name: tenants.count(name) for name in ("anna", "bert", "cora")} == {"anna": 3, "bert": 2, "cora": 3}
    assert (await store.waiting(), await store.waiting("bert"), await store.waiting("nobody")) == (94, 0, 0)


async def test_equal_tenants_take_turns(store: Store) -> None:
    await queued(store, batch("a", "anna"), 5)
    await queued(store, batch("b", "bert"), 5)
    turns = []
    for _ in range(4):
        task = (await claimed(store, 1))[0]
        turns.append(task.tenant)
        await store.settle(task, GOOD, now=1_000.0)
    assert turns == ["anna", "bert", "anna", "bert"]


async def test_urgent_before_old_before_alike(store: Store) -> None:
    old = await store.add_batch(batch("old"))
    alike = [b"bb", b"aa", b"bb", b"aa"]
    await store.put(old.seq, old.tenant, old.urgency, entries(4, prefix=lambda at: alike[at] * 8))
    await store.begin(old.seq, 4, 1_000.0)
    await queued(store, batch("new"), 1)
    await queued(store, batch("urgent", urgency=0), 1)
    got = [(task.batch - old.seq, task.id & 0xFFFFF) for task in await claimed(store, 6)]
    assert got == [(2, 0), (0, 1), (0, 3), (0, 0), (0, 2), (1, 0)]


async def test_the_oldest_that_waits_is_known_by_lane(store: Store) -> None:
    for at, urgency in enumerate((3, 1, 3), 1):
        await queued(store, batch(f"batch_{at}", created=at * 1_000.0, urgency=urgency), 1)
    (lane,) = [one.id for one in await store.lanes()]
    assert await store.oldest([lane, lane + 1_000]) == {lane: 1_000.0}
    assert [task.made for task in await claimed(store, 2)] == [2_000.0, 1_000.0]
    assert await store.oldest([lane]) == {lane: 3_000.0}
    await claimed(store, 1)
    assert await store.oldest([lane]) == await store.oldest([]) == {}


async def test_late_ones_alone_can_be_asked_for(store: Store) -> None:
    old = await queued(store, batch("old", created=1_000.0), 2)
    await queued(store, batch("new", created=2_000.0, urgency=0), 2)
    assert [task.batch for task in await claimed(store, 4, before=1_500.0)] == [old.seq, old.seq]
    assert await claimed(store, 4, before=500.0) == []
    assert len(await claimed(store, 4)) == 2


async def test_what_failed_waits_out_its_pause(store: Store) -> None:
    made = await queued(store, batch(), 1)
    task = (await claimed(store, 1))[0]
    assert await store.put_back(task, 50.0)
    assert await claimed(store, 1) == []
    assert await store.waiting() == 1
    await store.ripen(49.0)
    assert await claimed(store, 1) == []
    await store.ripen(50.0)
    again = (await claimed(store, 1))[0]
    assert again.attempt == 2
    assert await store.put_back(again, None)
    assert (await claimed(store, 1))[0].attempt == 2
    assert not (await seen(store, made.seq)).finished


async def test_queued_again_it_stays_once(store: Store) -> None:
    made = await store.add_batch(batch())
    for _ in range(2):
        await store.put(made.seq, made.tenant, made.urgency, entries(300))
    assert await store.waiting() == 300
    await store.begin(made.seq, 300, 1_000.0)
    await store.begin(made.seq, 1, 2_000.0)
    found = await seen(store, made.seq)
    assert (found.status, found.total, found.begun) == ("in_progress", 300, 1_000.0)
    assert len(await claimed(store, 400)) == 300


async def test_a_batch_goes_from_state_to_state(store: Store) -> None:
    await store.add_file(file("file-1"))
    made = await store.add_batch(batch())
    assert [one.id for one in await store.unread()] == [made.id]
    await store.put(made.seq, made.tenant, made.urgency, entries(2))
    await store.begin(made.seq, 2, 1_000.0)
    assert await store.unread() == await store.ripe() == []
    good, bad = await claimed(store, 2)
    await store.settle(good, GOOD, now=1_001.0)
    await store.settle(bad, Result(500, "x", b"no\nJSON"), now=1_001.0)
    assert [one.id for one in await store.ripe()] == [made.id]
    marked = await store.finalize(made.seq, 1_002.0)
    assert marked is not None
    assert (marked.status, marked.completed, marked.failed) == ("finalizing", 1, 1)
    assert await ended(store, made.seq) == [
        Finished(0, "c0", State.DONE, GOOD), Finished(1, "c1", State.FAILED, Result(500, "x", b"no\nJSON")),
    ]  # fmt: skip
    for _ in range(2):
        await store.end(marked, file("file-out"), None, 1_003.0)
    found = await seen(store, made.seq)
    assert (found.status, found.ended, found.output, found.errors) == ("completed", 1_003.0, "file-out", None)
    assert await store.file("default", "file-out") == file("file-out")
    assert await store.ripe() == [] == await ended(store, made.seq)
    assert await store.finalize(made.seq, 1_004.0) is None


async def test_the_unreadable_fail_with_what_is_wrong(store: Store) -> None:
    made = await store.add_batch(batch())
    await store.fail(made.seq, {"errors": [{"line": 3}]}, 1_000.0)
    found = await seen(store, made.seq)
    assert (found.status, found.ended, found.note) == ("failed", 1_000.0, {"errors": [{"line": 3}]})
    assert await store.unread() == []


async def test_cancelled_what_waits_ends_and_what_runs_goes_on(store: Store) -> None:
    made = await queued(store, batch(), 2_500)
    running, paused = await claimed(store, 2)
    await store.put_back(paused, 5_000.0)
    await store.cancel(made.seq, 1_000.0)
    found = await seen(store, made.seq)
    assert (found.status, found.cancelled, found.finished) == ("cancelling", 2_499, False)
    assert await store.waiting() == 0
    assert await claimed(store, 5) == []
    await store.ripen(6_000.0 if running.token == 0 else 50.0)
    assert await store.settle(running, GOOD, now=1_001.0)
    assert [one.id for one in await store.ripe()] == [made.id]
    states = [one.state for one in await ended(store, made.seq)]
    assert (len(states), states.count(State.CANCELLED), states.count(State.DONE)) == (2_500, 2_499, 1)


async def test_cancelled_before_it_was_queued_it_ends_when_it_is(store: Store) -> None:
    made = await store.add_batch(batch())
    await store.cancel(made.seq, 1_000.0)
    await store.put(made.seq, made.tenant, made.urgency, entries(3))
    await store.begin(made.seq, 3, 1_001.0)
    assert (await seen(store, made.seq)).cancelled == 3
    assert await claimed(store, 3) == []


async def test_over_time_it_expires(store: Store) -> None:
    made = await queued(store, batch(expires=2_000.0), 3)
    assert await store.overdue(1_999.0, 10) == []
    assert await store.overdue(2_000.0, 10) == [made.seq]
    await store.give_up(made.seq, State.EXPIRED, 2_000.0)
    assert await store.overdue(2_000.0, 10) == []
    marked = await store.finalize(made.seq, 2_001.0)
    assert marked is not None
    await store.end(marked, None, file("file-errors"), 2_002.0)
    assert (await seen(store, made.seq)).status == "expired"


async def test_one_request_is_taken_in_whole_and_once(store: Store) -> None:
    single, entry, once = (
        batch("req_1", kind="single", input=""),
        Entry(0, "", 0, 4, "main", b"p"),
        Idempotency("k", b"d" * 32),
    )
    made = await store.accept(single, b"body", entry, ROOM, once)
    again = await store.accept(batch("req_2", kind="single", input=""), b"body", entry, ROOM, once)
    assert (again.id, again.seq) == ("req_1", made.seq)
    with pytest.raises(KeyReused):
        await store.accept(batch("req_3", kind="single", input=""), b"other", entry, ROOM, Idempotency("k", b"e" * 32))
    other = await store.accept(batch("req_4", "anna", kind="single", input=""), b"b", entry, ROOM, once)
    assert other.seq != made.seq
    assert await store.body(made.seq) == b"body"
    assert await store.waiting("default") == 1
    task = next(task for task in await claimed(store, 2) if task.batch == made.seq)
    assert await store.position(made.seq) == (State.RUNNING, "main", 0)
    await store.settle(task, GOOD, now=1_005.0)
    assert await store.result(made.seq) == GOOD
    found = await seen(store, made.seq)
    assert (found.status, found.ended) == ("completed", 1_005.0)
    assert await store.ripe() == await store.unread() == []


async def test_a_place_counts_who_goes_before(store: Store) -> None:
    entry = Entry(0, "", 0, 4, "main", b"")
    made = [
        await store.accept(batch(f"r{at}", kind="single", input="", urgency=u), b"b", entry, ROOM)
        for at, u in enumerate((3, 3, 0, 3))
    ]
    assert [await store.position(one.seq) for one in made] == [
        (State.QUEUED, "main", 1), (State.QUEUED, "main", 2), (State.QUEUED, "main", 0), (State.QUEUED, "main", 3),
    ]  # fmt: skip
    assert await store.position(10_000) is None


async def test_beyond_its_bounds_nothing_is_taken_in(store: Store) -> None:
    entry = Entry(0, "", 0, 1, "main", b"")
    for at in range(2):
        await store.accept(batch(f"r{at}", kind="single", input=""), b"b", entry, Backlog(2, 3))
    with pytest.raises(Problem) as caught:
        await store.accept(batch("r2", kind="single", input=""), b"b", entry, Backlog(2, 3))
    assert (caught.value.status, caught.value.code) == (429, "queue_full")
    await store.accept(batch("r3", "anna", kind="single", input=""), b"b", entry, Backlog(2, 3))
    with pytest.raises(Problem):
        await store.accept(batch("r4", "bert", kind="single", input=""), b"b", entry, Backlog(2, 3))
    assert await store.batch("default", "single", "r2") is None


async def test_tenants_see_their_own_alone(store: Store) -> None:
    await store.add_file(file("file-a", tenant="anna"))
    made = await store.add_batch(batch("batch_a", "anna"))
    assert await store.file("bert", "file-a") is None
    assert not await store.remove_file("bert", "file-a")
    assert await store.batch("bert", "openai", "batch_a") is None
    assert await store.batch("anna", "anthropic", "batch_a") is None
    assert await store.batches("bert", "openai", after=None, before=None, limit=5) == []
    assert await store.batches("bert", "openai", after="batch_a", before=None, limit=5) == []
    assert await store.batch("anna", "openai", "batch_a") == made


async def test_lists_go_on_behind_the_last_shown(store: Store) -> None:
    for at in range(5):
        await store.add_batch(batch(f"b{at}"))
        await store.add_file(file(f"f{at}", created=float(at)))

    async def batches(after: str | None = None, before: str | None = None) -> list[str]:
        return [one.id for one in await store.batches("default", "openai", after=after, before=before, limit=2)]

    assert (await batches(), await batches(after="b3"), await batches(before="b1")) == (
        ["b4", "b3"], ["b2", "b1"], ["b3", "b2"],
    )  # fmt: skip

    async def files(after: str | None, *, oldest: bool) -> list[str]:
        found = await store.files("default", purpose="batch", after=after, limit=2, oldest=oldest)
        return [one.id for one in found]

    assert (await files(None, oldest=True), await files("f3", oldest=False)) == (["f0", "f1"], ["f2", "f1"])
    assert await store.files("default", purpose="other", after=None, limit=2, oldest=True) == []


async def test_what_is_past_its_time_goes_but_not_what_is_read(store: Store) -> None:
    for id_ in ("file-1", "file-2"):
        await store.add_file(file(id_, expires=2_000.0))
    await store.add_file(file("file-3"))
    made = await queued(store, batch(), 1)
    assert await store.remove_file("default", "file-3")
    assert not await store.remove_file("default", "file-3")
    assert set(await store.forget(3_000.0, 100.0)) == {"file-2", "file-3"}
    await store.settle((await claimed(store, 1))[0], GOOD, now=3_000.0)
    marked = await store.finalize(made.seq, 3_000.0)
    assert marked is not None
    await store.end(marked, None, None, 3_000.0)
    assert await store.forget(3_050.0, 100.0) == ["file-1"]
    assert await store.by_seq(made.seq) is not None
    await store.forget(3_200.0, 100.0)
    assert await store.by_seq(made.seq) is None
    assert await store.batches("default", "openai", after=None, before=None, limit=5) == []


async def test_a_deleted_batch_is_gone(store: Store) -> None:
    made = await queued(store, batch(), 1)
    await store.remove_batch(made.seq)
    assert await store.by_seq(made.seq) is not None
    await store.settle((await claimed(store, 1))[0], GOOD, now=1.0)
    marked = await store.finalize(made.seq, 2.0)
    assert marked is not None
    await store.end(marked, None, None, 3.0)
    await store.remove_batch(made.seq)
    assert await store.batch("default", "openai", made.id) is None


async def test_batches_under_way_are_the_oldest_and_no_single_ones(store: Store) -> None:
    for at in range(3):
        await store.add_batch(batch(f"b{at}"))
    await store.accept(batch("r", kind="single", input=""), b"b", Entry(0, "", 0, 1, "main", b""), ROOM)
    first = await store.batch("default", "openai", "b0")
    assert first is not None
    await store.fail(first.seq, {}, 1.0)
    assert [one.id for one in await store.under_way(5)] == ["b1", "b2"]
    assert [one.id for one in await store.under_way(1)] == ["b1"]


async def test_one_look_sees_many_and_nothing_where_nothing_changed(store: Store) -> None:
    entry = Entry(0, "", 0, 1, "main", b"")
    singles = [await store.accept(batch(f"r{at}", kind="single", input=""), b"b", entry, ROOM) for at in range(200)]
    unread = await store.add_batch(batch("batch"))
    seqs = [one.seq for one in singles] + [unread.seq, 100_000]
    seen = await store.seen(seqs)
    assert seen is not None
    assert await store.seen(seqs, seen.version) is None
    assert seen.sights[100_000] is None
    sight = seen.sights[unread.seq]
    assert sight is not None
    assert (sight.batch, sight.place) == (await store.by_seq(unread.seq), None)
    places = [sight.place for one in singles if (sight := seen.sights[one.seq]) is not None]
    assert places == [(State.QUEUED, "main", at) for at in range(200)]
    assert await store.seen([]) is None


async def test_after_each_change_a_look_sees_something_new(store: Store) -> None:
    single = await store.accept(
        batch("r", kind="single", input=""), b"b", Entry(0, "", 0, 1, "main", b""), Backlog(1_000, 1_000)
    )
    made = await store.add_batch(batch())
    sights = []
    version: int | None = None

    async def look() -> None:
        nonlocal version
        seen = await store.seen([single.seq, made.seq], version)
        assert seen is not None
        version = seen.version
        sights.append(tuple(seen.sights.values()))

    await look()
    await store.put(made.seq, made.tenant, made.urgency, entries(2))
    await look()
    await store.begin(made.seq, 2, 1_000.0)
    await look()
    first = (await claimed(store, 1))[0]
    await look()
    await store.put_back(first, 50.0)
    await look()
    await store.ripen(50.0)
    await look()
    first, *others = await claimed(store, 3)
    await look()
    await store.settle(first, GOOD, now=1_000.0)
    await look()
    await store.cancel(made.seq, 1_000.0)
    await look()
    for task in others:
        await store.settle(task, GOOD, now=1_000.0)
        await look()
    marked = await store.finalize(made.seq, 1_001.0)
    assert marked is not None
    await look()
    await store.end(marked, None, None, 1_002.0)
    await look()
    await store.remove_batch(made.seq)
    await look()
    assert all(one != other for one, other in pairwise(sights))
