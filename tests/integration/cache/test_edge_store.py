"""The embedded store: what it keeps, finds, and lets go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.store import StoreLocked

FIRST = axis(1.0).tobytes()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    one = EdgeStore(tmp_path / "cache")
    await one.open()
    yield one
    await one.close()


async def test_a_record_comes_back_by_its_key(store: EdgeStore) -> None:
    for number, vector in ((1, None), (2, FIRST)):
        one = record(number, vector=vector)
        assert await store.put(one, 10)
        assert await store.get(one.key, NOW) == one.data
    assert await store.get(record(3).key, NOW) is None


async def test_a_record_takes_its_predecessors_place(store: EdgeStore) -> None:
    await store.put(record(1, size=1, vector=FIRST), 10)
    await store.put(record(1, size=2), 10)
    assert await store.get(record(1).key, NOW) == record(1, size=2).data
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []


async def test_it_ends_when_its_life_does(store: EdgeStore) -> None:
    await store.put(record(1, life=60.0, stale=30.0, vector=FIRST), 10)
    assert await store.get(record(1).key, NOW + 89.0) is not None
    assert await store.get(record(1).key, NOW + 90.0) is None
    assert len(await store.nearest("s", FIRST, 0.5, 4, NOW + 59.0)) == 1
    assert await store.nearest("s", FIRST, 0.5, 4, NOW + 60.0) == []


async def test_neighbours_come_best_first_within_scope_and_similarity(store: EdgeStore) -> None:
    for number, cosine in ((1, 0.80), (2, 0.95), (3, 0.90), (4, 0.99)):
        await store.put(record(number, vector=axis(cosine).tobytes()), 10)
    await store.put(record(5, scope="other", vector=FIRST), 10)
    await store.put(record(6), 10)
    found = await store.nearest("s", FIRST, 0.85, 2, NOW)
    assert [data for _, data in found] == [record(4).data, record(2).data]
    assert [score for score, _ in found] == pytest.approx([0.99, 0.95], abs=1e-6)


async def test_beyond_the_bound_the_least_recently_used_goes(store: EdgeStore) -> None:
    for number in range(5):
        await store.put(record(number), 5)
    await store.touch([record(0).key, record(77).key], NOW + 100)
    await store.put(record(5), 5)
    there = [number for number in range(6) if await store.get(record(number).key, NOW) is not None]
    assert there == [0, 2, 3, 4, 5]


async def test_the_bound_is_each_policys_own(store: EdgeStore) -> None:
    for number in range(3):
        await store.put(record(number, policy="flood"), 2)
    await store.put(record(9, policy="quiet"), 2)
    assert store.stats()["policies"] == {"flood": 2, "quiet": 1}


async def test_replacing_does_not_evict(store: EdgeStore) -> None:
    for _ in range(5):
        await store.put(record(1), 2)
    await store.put(record(2), 2)
    assert await store.get(record(1).key, NOW) is not None


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (("support", None, None), [3]),
        ((None, "acme", None), [2]),
        (("support", "acme", None), [2, 3]),
        ((None, None, record(1).key), [2, 3]),
        (("nothing", None, None), [1, 2, 3]),
        ((None, None, None), []),
    ],
)
async def test_a_purge_takes_what_matches(
    store: EdgeStore, what: tuple[str | None, str | None, str | None], left: list[int]
) -> None:
    await store.put(record(1), 10)
    await store.put(record(2, tenant="globex"), 10)
    await store.put(record(3, policy="other"), 10)
    assert await store.purge(*what) == 3 - len(left)
    assert [number for number in (1, 2, 3) if await store.get(record(number).key, NOW)] == left
    assert store.stats()["entries"] == len(left)


async def test_one_can_be_dropped(store: EdgeStore) -> None:
    await store.put(record(1), 10)
    assert await store.drop(record(1).key)
    assert not await store.drop(record(1).key)


async def test_upkeep_sweeps_what_ended(store: EdgeStore) -> None:
    for number in range(450):
        await store.put(record(number, life=1.0 if number % 2 else 60.0), 1000)
    for _ in range(3):
        await store.upkeep(NOW + 2.0)
    assert store.stats()["entries"] == 225


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "cache")
    await store.open()
    await store.put(record(1, vector=FIRST), 10)
    await store.close()
    await store.close()
    again = EdgeStore(tmp_path / "cache")
    await again.open()
    assert await again.get(record(1).key, NOW) == record(1).data
    assert len(await again.nearest("s", FIRST, 0.9, 4, NOW)) == 1
    assert again.stats() == {"state": "open", "entries": 1, "policies": {"support": 1}, "refused": 0, "damaged": 0}
    await again.close()


async def test_a_store_in_use_is_refused_with_its_holder(store: EdgeStore, tmp_path: Path) -> None:
    with pytest.raises(StoreLocked, match=r"in use by another process \(pid \d+\); stop it"):
        await EdgeStore(tmp_path / "cache").open()


async def test_a_closed_store_keeps_and_finds_nothing(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "cache")
    assert not await store.put(record(1), 10)
    assert await store.get(record(1).key, NOW) is None
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []
    assert store.stats()["state"] == "off"
