"""What only the Pinecone store does, on a stand-in: writes that show later, a server that lies, answers too large."""

from collections.abc import AsyncIterator

import pytest

from doubles.cached import Hands, axis
from doubles.pinecone_stand_in import PineconeStandIn, pinecone_stand_in
from doubles.records import NOW, record
from doubles.stores import pinecone_store
from sluice_sidecar.cache.stores.pinecone import LAG, PineconeStore
from sluice_sidecar.cache.stores.store import Record, StoreError

FIRST = axis(1.0).tobytes()


@pytest.fixture
async def index() -> AsyncIterator[PineconeStandIn]:
    async with pinecone_stand_in() as one:
        yield one


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def store(index: PineconeStandIn, clock: Hands) -> AsyncIterator[PineconeStore]:
    one = pinecone_store(index, seconds=clock)
    await one.open()
    yield one
    await one.close()


def shown(data: list[tuple[float, bytes]]) -> list[bytes]:
    return [one for _, one in data]


async def test_a_write_that_does_not_show_yet_is_a_miss(index: PineconeStandIn, store: PineconeStore) -> None:
    index.lags = True
    assert await store.put(record(1, vector=FIRST), 10)
    assert await store.get(record(1).key, NOW) is None
    assert await store.nearest("s", FIRST, 0.5, 4, NOW) == []
    assert store.stats()["entries"] == 1
    index.show()
    assert await store.get(record(1).key, NOW) == record(1).data
    assert shown(await store.nearest("s", FIRST, 0.5, 4, NOW)) == [record(1).data]


async def test_what_was_purged_is_never_given_while_it_still_shows(
    index: PineconeStandIn, store: PineconeStore, clock: Hands
) -> None:
    await store.put(record(1, size=1, vector=FIRST), 10)
    index.lags = True
    assert await store.purge(None, None, None) == 1
    assert await store.get(record(1).key, NOW) is None
    assert await store.nearest("s", FIRST, 0.5, 4, NOW) == []
    assert await store.put(record(1, size=2, vector=FIRST), 10)
    assert await store.get(record(1).key, NOW) is None
    index.show()
    assert await store.get(record(1).key, NOW) == record(1, size=2).data
    clock.at += LAG + 1.0
    await store.upkeep(NOW)
    assert store._gone == {}


async def test_a_purge_takes_what_was_written_and_does_not_show_yet(
    index: PineconeStandIn, store: PineconeStore
) -> None:
    index.lags = True
    await store.put(record(1, vector=FIRST), 10)
    assert await store.purge("support", None, None) == 1
    index.show()
    assert index.stored["house"] == {}


async def test_a_purge_takes_what_another_gateway_wrote_and_does_not_show_yet(
    index: PineconeStandIn, store: PineconeStore
) -> None:
    other = pinecone_store(index)
    await other.open()
    await other.put(record(1), 10)
    index.lags = True
    await other.put(record(2), 10)
    await other.put(record(3, policy="kept"), 10)
    await store.purge("support", None, None)
    index.show()
    assert list(index.stored["house"]) == [record(3).key]
    await other.close()


async def test_an_index_that_does_not_delete_by_metadata_is_purged_by_id(
    index: PineconeStandIn, store: PineconeStore
) -> None:
    index.deletes_by_metadata = False
    for number in range(3):
        await store.put(record(number, tenant="ab"[number % 2]), 10)
    assert await store.purge(None, "a", None) == 2
    assert list(index.stored["house"]) == [record(1).key]


async def test_another_scopes_record_is_refused_whoever_gives_it(index: PineconeStandIn, store: PineconeStore) -> None:
    await store.put(record(1, scope="theirs", vector=FIRST), 10)
    await store.put(record(2, scope="s", vector=axis(0.9).tobytes()), 10)
    await store.put(record(3, scope="s", life=-1.0, vector=FIRST), 10)
    index.lies = True
    assert shown(await store.nearest("s", FIRST, 0.0, 4, NOW)) == [record(2).data]
    index.stored["house"][record(2).key] = index.stored["house"][record(1).key]
    assert await store.get(record(2).key, NOW) is None


async def test_an_answer_that_metadata_cannot_hold_is_not_kept_and_counted(
    index: PineconeStandIn, store: PineconeStore
) -> None:
    from random import Random

    noise = Random(7).randbytes(30_000).hex().encode()
    plain = record(1)
    large = Record(plain.key, "s", "acme", "support", NOW + 60, NOW + 60, NOW, noise, FIRST)
    assert not await store.put(large, 10)
    assert (store.stats()["too_large"], store.stats()["refused"], index.stored) == (1, 1, {})
    assert await store.put(record(2, size=200_000), 10)  # of one letter, so it is packed small
    assert await store.get(record(2).key, NOW) == record(2, size=200_000).data
    assert not await store.put(record(3, tenant="t" * 50_000), 10)


async def test_a_gateway_that_starts_anew_counts_what_is_there(index: PineconeStandIn, store: PineconeStore) -> None:
    for number in range(4):
        await store.put(record(number), 10)
    fresh = pinecone_store(index)
    await fresh.open()
    await fresh.put(record(9), 3)
    assert len(index.stored["house"]) == 3
    assert await fresh.get(record(9).key, NOW) is not None
    await fresh.close()


@pytest.mark.parametrize(
    ("about", "says"),
    [({"width": 8}, "8 dimensions"), ({"metric": "euclidean"}, "metric euclidean"), ({"api_key": "other"}, "API key")],
)
async def test_an_index_that_does_not_fit_is_off_and_says_why(about: dict[str, str | int], says: str) -> None:
    async with pinecone_stand_in(**about) as index:  # type: ignore[arg-type]
        one = pinecone_store(index)
        await one.open()
        assert one.stats()["state"] == "off"
        assert says in str(one.stats()["reason"])
        assert not await one.put(record(1), 10)
        assert await one.get(record(1).key, NOW) is None
        await one.close()


async def test_a_server_that_fails_is_left_alone_and_comes_back(
    index: PineconeStandIn, store: PineconeStore, clock: Hands
) -> None:
    await store.put(record(1), 10)
    index.status = 503
    with pytest.raises(StoreError, match="503"):
        await store.get(record(1).key, NOW)
    before = len(index.paths)
    assert await store.get(record(1).key, NOW) is None
    assert len(index.paths) == before
    index.status = None
    clock.at += 100.0
    await store.upkeep(NOW)
    while store._link._trying is not None:
        await store._link._trying
    assert await store.get(record(1).key, NOW) == record(1).data


async def test_no_key_is_in_what_it_says_of_itself(index: PineconeStandIn) -> None:
    one = pinecone_store(index, api_key="sesame-open")
    await one.open()
    assert "sesame" not in repr(one.stats())
    assert "sesame" not in repr(one)
    await one.close()


async def test_a_scan_gives_a_policys_records(store: PineconeStore) -> None:
    for number in range(6):
        await store.put(record(number, policy="ab"[number % 2]), 10)
    found = [data async for data in store.scan("b")]
    assert sorted(found) == [record(number, policy="b").data for number in (1, 3, 5)]


async def test_after_a_restart_a_flood_still_takes_from_whoever_floods(
    index: PineconeStandIn, store: PineconeStore
) -> None:
    """What others wrote is attributed to its tenants before anything of it goes."""
    for number in range(5):
        await store.put(record(number, tenant="acme", vector=FIRST), 20)
    for number in range(10, 25):
        await store.put(record(number, tenant="flood", vector=FIRST), 20)
    again = pinecone_store(index)
    await again.open()
    for number in range(30, 40):
        await again.put(record(number, tenant="flood", vector=FIRST), 20)
    left = {int(key, 16) for key in index.stored["house"]}
    assert left >= {*range(5), *range(30, 40)}
    assert len(left) == 20
    await again.close()
