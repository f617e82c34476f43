"""A scope with codes: it answers as a scan does, through puts, deaths, purges and restarts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.indexed_shard import IndexedShard
from sluice_sidecar.cache.stores.store import StoreError

LARGE = 40
FIRST = axis(1.0).tobytes()


def cosine(number: int) -> bytes:
    """A vector that is the nearer to FIRST the larger the number."""
    return axis(0.4 + number / 500).tobytes()


def shard_of(store: EdgeStore) -> IndexedShard:
    assert store._shard is not None
    return store._shard


async def coded(store: EdgeStore) -> int:
    """Asks, so that codes are made where a scope is large, and waits; how many vectors have one."""
    await store.nearest("s", FIRST, 0.0, 1, NOW)
    await store.upkeep(NOW)
    if store._growing is not None:
        await store._growing
    return shard_of(store).coded


async def near(store: EdgeStore, limit: int = 5, now: float = NOW) -> list[bytes]:
    return [data for _, data in await store.nearest("s", FIRST, 0.0, limit, now)]


def datas(*numbers: int) -> list[bytes]:
    return [record(number).data for number in numbers]


async def filled(path: Path, count: int = 60, large: int = LARGE) -> EdgeStore:
    store = EdgeStore(path, large=large)
    await store.open()
    for number in range(count):
        await store.put(record(number, vector=cosine(number)), 1000)
    return store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    one = await filled(tmp_path / "cache")
    assert await coded(one) == 60
    yield one
    await one.close()


async def test_a_small_scope_has_none(tmp_path: Path) -> None:
    store = await filled(tmp_path / "cache", LARGE - 1)
    assert await coded(store) == 0
    await store.close()


async def test_a_scope_that_nobody_asks_in_has_none(tmp_path: Path) -> None:
    store = await filled(tmp_path / "cache")
    await store.upkeep(NOW)
    assert not shard_of(store).growing
    assert shard_of(store).coded == 0
    await store.close()


async def test_it_answers_as_a_scan(store: EdgeStore, tmp_path: Path) -> None:
    scanned = await filled(tmp_path / "other", large=1000)
    for least, limit in ((0.0, 5), (0.4, 30), (0.505, 20), (0.51, 3), (0.9, 5)):
        mine = await store.nearest("s", FIRST, least, limit, NOW)
        other = await scanned.nearest("s", FIRST, least, limit, NOW)
        assert [data for _, data in mine] == [data for _, data in other]
        assert [score for score, _ in mine] == pytest.approx([score for score, _ in other], abs=1e-6)
    await scanned.close()


async def test_what_is_put_later_is_found(store: EdgeStore) -> None:
    await store.put(record(100, vector=cosine(100)), 1000)
    assert (await near(store, 2)) == datas(100, 59)


async def test_what_is_put_while_codes_are_made_is_found_once(tmp_path: Path) -> None:
    store = await filled(tmp_path / "cache", 120)
    await store.nearest("s", FIRST, 0.0, 1, NOW)
    shard = shard_of(store)
    assert shard.grow()
    assert shard.grow()
    assert 0 < shard.coded < 120
    await store.put(record(0, vector=cosine(200)), 1000)
    await store.put(record(119, vector=cosine(201)), 1000)
    await store.drop(record(118).key)
    assert await near(store, 3) == datas(119, 0, 117)
    assert await coded(store) == 119
    assert await near(store, 3) == datas(119, 0, 117)
    await store.close()


async def test_a_replaced_record_is_where_its_new_vector_is(store: EdgeStore) -> None:
    await store.put(record(59, vector=cosine(0)), 1000)
    assert await near(store, 3) == datas(58, 57, 56)
    await store.put(record(58), 1000)
    assert await near(store, 3) == datas(57, 56, 55)
    await store.put(record(57, scope="other", vector=cosine(57)), 1000)
    assert await near(store, 3) == datas(56, 55, 54)


async def test_another_scope_is_not_seen(store: EdgeStore) -> None:
    for number in range(100, 160):
        await store.put(record(number, scope="other", vector=FIRST), 1000)
    await store.nearest("other", FIRST, 0.0, 1, NOW)
    assert await coded(store) == 120
    assert await near(store, 2) == datas(59, 58)
    assert len(await store.nearest("other", FIRST, 0.99, 100, NOW)) == 60
    assert await store.nearest("", FIRST, 0.0, 5, NOW) == []


async def test_what_ended_is_not_found(store: EdgeStore) -> None:
    await store.put(record(100, vector=cosine(100), life=10.0, stale=50.0), 1000)
    short = await store.get(record(100).key, NOW)
    assert await near(store, 1, NOW + 9.0) == [short]
    assert await near(store, 1, NOW + 10.0) == datas(59)


async def test_a_purge_and_the_sweeper_take_codes_along(store: EdgeStore) -> None:
    await store.put(record(100, tenant="globex", vector=cosine(100)), 1000)
    assert await store.purge(None, "acme", None) == 60
    assert shard_of(store).coded == 1
    assert len(await near(store)) == 1
    store._next_sweep = 0.0
    await store.upkeep(NOW + 100.0)
    assert shard_of(store).coded == 0
    assert await near(store) == []


async def test_eviction_takes_codes_along(store: EdgeStore) -> None:
    await store.put(record(100, vector=cosine(100)), 50)
    assert shard_of(store).coded == store.stats()["entries"]
    assert await near(store, 1) == datas(100)


async def test_after_a_restart_it_is_scanned_until_codes_are_made(store: EdgeStore, tmp_path: Path) -> None:
    await store.close()
    again = EdgeStore(tmp_path / "cache", large=LARGE)
    await again.open()
    assert shard_of(again).coded == 0
    assert await near(again) == datas(59, 58, 57, 56, 55)
    assert await coded(again) == 60
    assert await near(again) == datas(59, 58, 57, 56, 55)
    await again.close()


async def test_a_damaged_record_is_no_neighbour_and_hides_no_other(
    store: EdgeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await store.close()
    vectors = next((tmp_path / "cache").rglob("vectors/chunk_0.mmap"))
    body = vectors.read_bytes()
    vectors.write_bytes(body.replace(cosine(3), FIRST))
    again = EdgeStore(tmp_path / "cache", large=LARGE)
    await again.open()
    shard_of(again)._asked["s"] = None
    while shard_of(again).grow():
        pass
    assert shard_of(again).coded == 60
    assert await near(again) == datas(59, 58, 57, 56, 55)
    assert "damaged cache records were dropped" in caplog.text
    assert shard_of(again).coded == 59
    await again.close()


async def test_a_scope_that_cannot_be_read_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await filled(tmp_path / "cache")

    def fails(scope: str, after: object, most: int) -> None:
        raise StoreError("a point cannot be decoded")

    monkeypatch.setattr(shard_of(store), "vectors", fails)
    assert await coded(store) == 0
    assert await near(store, 2) == datas(59, 58)
    assert not shard_of(store).growing
    assert store.stats()["state"] == "open"
    await store.close()


async def test_the_scope_that_was_least_recently_asked_in_loses_its_codes(store: EdgeStore) -> None:
    shard_of(store).most = 100
    for number in range(100, 160):
        await store.put(record(number, scope="other", vector=cosine(number)), 1000)
    await store.nearest("other", FIRST, 0.0, 1, NOW)
    await store.upkeep(NOW)
    assert store._growing is not None
    await store._growing
    assert shard_of(store).coded == 60
    assert await near(store, 2) == datas(59, 58)
    assert len(await store.nearest("other", FIRST, 0.0, 2, NOW)) == 2


async def test_closing_ends_the_making(tmp_path: Path) -> None:
    store = await filled(tmp_path / "cache", 200)
    await store.nearest("s", FIRST, 0.0, 1, NOW)
    await store.upkeep(NOW)
    await asyncio.sleep(0)
    await store.close()
    assert store._growing is not None
    assert store._growing.done()


async def test_groups_of_near_vectors_are_found_as_by_a_scan(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    rows = np.repeat(random.standard_normal((30, 384)), 20, axis=0) + 0.6 * random.standard_normal((600, 384))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")
    store = EdgeStore(tmp_path / "cache", large=LARGE)
    await store.open()
    for number, row in enumerate(rows):
        await store.put(record(number, vector=row.tobytes()), 1000)
    assert await coded(store) == 600
    for row in rows[::31]:
        found = await store.nearest("s", row.tobytes(), 0.0, 10, NOW)
        true = np.argsort(-(rows @ row))[:10]
        assert [data for _, data in found] == datas(*true.tolist())
    await store.close()
