"""What holds for every store: on real servers, or on the stand-ins of those that cannot run here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from doubles.stores import STORES, Kept
from sluice_sidecar.cache.stores.store import Store

FIRST = axis(1.0).tobytes()


@pytest.fixture(params=STORES)
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    async with STORES[request.param](tmp_path) as one:
        yield one


@pytest.fixture
def store(kept: Kept) -> Store:
    return kept.store


async def there(store: Store, *numbers: int) -> list[int]:
    return [number for number in numbers if await store.get(record(number).key, NOW) is not None]


async def test_a_record_comes_back_byte_for_byte(store: Store) -> None:
    for number, vector in ((1, None), (2, FIRST)):
        one = record(number, vector=vector)
        assert await store.put(one, 10)
        assert await store.get(one.key, NOW) == one.data
    assert await store.get(record(3).key, NOW) is None


async def test_a_record_takes_its_predecessors_place(store: Store) -> None:
    await store.put(record(1, size=1, vector=FIRST), 10)
    await store.put(record(1, size=2), 10)
    assert await store.get(record(1).key, NOW) == record(1, size=2).data
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []


async def test_it_is_no_neighbour_after_its_life_and_nothing_after_its_grace(store: Store) -> None:
    await store.put(record(1, life=60.0, stale=30.0, vector=FIRST), 10)
    assert await store.get(record(1).key, NOW + 89.0) is not None
    assert await store.get(record(1).key, NOW + 90.0) is None
    assert len(await store.nearest("s", FIRST, 0.5, 4, NOW + 59.0)) == 1
    assert await store.nearest("s", FIRST, 0.5, 4, NOW + 60.0) == []


async def test_neighbours_come_best_first_within_similarity(store: Store) -> None:
    for number, cosine in ((1, 0.80), (2, 0.95), (3, 0.90), (4, 0.99)):
        await store.put(record(number, vector=axis(cosine).tobytes()), 10)
    await store.put(record(6), 10)
    found = await store.nearest("s", FIRST, 0.85, 2, NOW)
    assert [data for _, data in found] == [record(4).data, record(2).data]
    assert [score for score, _ in found] == pytest.approx([0.99, 0.95], abs=1e-5)


async def test_any_similarity_can_be_asked_for(store: Store) -> None:
    for number, cosine in ((1, 1.0), (2, -0.5), (3, -0.9)):
        await store.put(record(number, scope="0a/layouts", vector=axis(cosine).tobytes()), 10)
    found = await store.nearest("0a/layouts", FIRST, -1.0, 4, NOW)
    assert [score for score, _ in found] == pytest.approx([1.0, -0.5, -0.9], abs=1e-5)


async def test_the_opposite_scores_below_nothing(store: Store) -> None:
    await store.put(record(1, vector=axis(-1.0).tobytes()), 10)
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []


@pytest.mark.parametrize("other", ["other", "s2", "", "S", "*", "s:", "{s}", "s/layouts", "sluice/evidence"])
async def test_a_scope_never_sees_another(store: Store, other: str) -> None:
    await store.put(record(5, scope=other, vector=FIRST), 10)
    await store.put(record(6, scope="s", vector=axis(0.9).tobytes()), 10)
    assert [data for _, data in await store.nearest("s", FIRST, 0.0, 4, NOW)] == [record(6).data]
    assert [data for _, data in await store.nearest(other, FIRST, 0.0, 4, NOW)] == [record(5, scope=other).data]


async def test_beyond_the_bound_the_least_recently_used_goes(store: Store) -> None:
    for number in range(5):
        await store.put(record(number, vector=FIRST), 5)
    await store.touch([record(0).key, record(77).key], NOW + 100)
    await store.put(record(5), 5)
    assert await there(store, *range(6)) == [0, 2, 3, 4, 5]
    assert len(await store.nearest("s", FIRST, 0.5, 10, NOW)) == 4


async def test_a_flood_by_one_tenant_leaves_the_others_their_entries(store: Store) -> None:
    """In a full policy the tenants that hold most make room, each among its own least recently used."""
    for number in range(5):
        await store.put(record(number, tenant="acme", vector=FIRST), 20)
    for number in range(10, 60):
        await store.put(record(number, tenant="flood", vector=FIRST), 20)
    assert await there(store, *range(60)) == [*range(5), *range(45, 60)]
    assert store.stats()["policies"] == {"support": 20}


async def test_whoever_comes_late_gets_an_equal_share(store: Store) -> None:
    for number in range(12):
        await store.put(record(number, tenant="first"), 12)
    for number in range(20, 40):
        await store.put(record(number, tenant="second"), 12)
    for number in range(40, 43):
        await store.put(record(number, tenant="third"), 12)
    # Six each, then the third takes from whoever of the two holds most, its oldest first.
    assert await there(store, *range(12)) == [8, 9, 10, 11]
    assert await there(store, *range(20, 40)) == [35, 36, 37, 38, 39]
    assert await there(store, 40, 41, 42) == [40, 41, 42]


async def test_an_answer_that_another_tenant_filled_anew_counts_for_that_one(store: Store) -> None:
    """As where tenants share answers."""
    for number in range(3):
        await store.put(record(number, tenant="before"), 4)
        await store.put(record(number, tenant="after"), 4)
    for number in range(10, 14):
        await store.put(record(number, tenant="before"), 4)
    assert await there(store, 0, 1, 2, 10, 11, 12, 13) == [1, 2, 12, 13]


async def test_the_bound_is_each_policys_own_and_replacing_does_not_evict(store: Store) -> None:
    for number in range(3):
        await store.put(record(number, policy="flood"), 2)
    for _ in range(4):
        await store.put(record(9, policy="quiet"), 2)
    await store.put(record(10, policy="quiet"), 2)
    assert await there(store, 0, 1, 2, 9, 10) == [1, 2, 9, 10]
    assert store.stats()["policies"] == {"flood": 2, "quiet": 2}


async def test_nothing_is_kept_where_the_bound_is_nothing(store: Store) -> None:
    assert not await store.put(record(1), 0)
    assert await there(store, 1) == []


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (("support", None, None), [3]),
        ((None, "acme", None), [2]),
        (("support", "acme", None), [2, 3]),
        ((None, None, record(1).key), [2, 3]),
        (("other", None, record(1).key), [1, 2, 3]),
        (("nothing", None, None), [1, 2, 3]),
        ((None, None, None), []),
    ],
)
async def test_a_purge_takes_what_matches(
    store: Store, what: tuple[str | None, str | None, str | None], left: list[int]
) -> None:
    await store.put(record(1, vector=FIRST), 10)
    await store.put(record(2, tenant="globex", vector=FIRST), 10)
    await store.put(record(3, policy="other", vector=FIRST), 10)
    assert await store.purge(*what) == 3 - len(left)
    assert await there(store, 1, 2, 3) == left
    assert len(await store.nearest("s", FIRST, 0.0, 10, NOW)) == len(left)
    assert store.stats()["entries"] == len(left)


async def test_a_large_purge_takes_all(store: Store) -> None:
    for number in range(450):
        await store.put(record(number, used=NOW), 1000)
    assert await store.purge(None, None, None) == 450
    assert store.stats()["entries"] == 0


async def test_one_can_be_dropped(store: Store) -> None:
    await store.put(record(1), 10)
    assert await store.drop(record(1).key)
    assert not await store.drop(record(1).key)


async def test_upkeep_sweeps_what_ended(kept: Kept) -> None:
    for number in range(450):
        await kept.store.put(record(number, life=5.0 if number % 2 else 60.0, used=NOW, vector=FIRST), 1000)
    for _ in range(3):
        await kept.sweep(NOW + 6.0)
    assert kept.store.stats()["entries"] == 225
    assert len(await kept.store.nearest("s", FIRST, 0.5, 300, NOW)) == 225


@pytest.mark.parametrize(
    "kept", [name for name in STORES if name != "edge"], indirect=True
)  # edge: test_edge_store_damage.py
async def test_a_damaged_record_is_dropped_and_never_given(kept: Kept) -> None:
    assert kept.damage is not None
    for number in (1, 2, 3):
        await kept.store.put(record(number, vector=FIRST), 10)
    await kept.damage(record(1).key)
    await kept.damage(record(2).key)
    assert await there(kept.store, 1, 3) == [3]
    assert [data for _, data in await kept.store.nearest("s", FIRST, 0.5, 4, NOW)] == [record(3).data]
    assert kept.store.stats()["damaged"] == 2
    assert await kept.store.purge(None, None, None) == 1


async def test_a_closed_store_keeps_and_finds_nothing(store: Store) -> None:
    await store.put(record(1), 10)
    await store.close()
    await store.close()
    assert not await store.put(record(2), 10)
    assert await there(store, 1, 2) == []
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []
    assert store.stats()["state"] == "off"
