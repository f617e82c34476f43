"""Each policy's entries lie in the store that it names, and nowhere else."""

import pytest

from doubles.cached import policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.memory import Memory
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.config import QdrantStore, RedisServer

REDIS = RedisServer(address="redis:6379", prefix="a:")
QDRANT = QdrantStore(url="http://qdrant:6333", collection="a")

OWN = policy()
IN_REDIS = policy(store=REDIS)
IN_QDRANT = policy(store=QDRANT)


def forgetful(store: Shelf | None) -> Cache:
    """A cache whose memory keeps nothing, so that every hit is the store's."""
    return Cache(store, None, memory=Memory(entries=0))


async def test_an_entry_goes_to_the_policys_store_and_comes_from_there() -> None:
    own, redis, qdrant = Shelf(), Shelf(), Shelf()
    cache = forgetful(own)
    await cache.share({REDIS: redis, QDRANT: qdrant})
    for kept, shelf, others in (
        (OWN, own, (redis, qdrant)),
        (IN_REDIS, redis, (own, qdrant)),
        (IN_QDRANT, qdrant, (own, redis)),
    ):
        fp = printed(kept.model_dump_json())
        assert await put(cache, fp, kept)
        assert fp.key in shelf.records
        assert not any(fp.key in other.records for other in others)
        assert (await cache.look(fp, kept)).hit is not None
        for other in (OWN, IN_REDIS, IN_QDRANT):
            assert other is kept or (await cache.look(fp, other)).hit is None
    await cache.close()
    assert [shelf.closed for shelf in (own, redis, qdrant)] == [True, True, True]


async def test_a_policy_of_a_store_that_is_not_there_is_served_without() -> None:
    cache = forgetful(Shelf())
    fp = printed()
    assert await put(cache, fp, IN_REDIS)
    assert (await cache.look(fp, IN_REDIS)).hit is None
    assert cache.store_stats(IN_REDIS)["state"] == "none"
    await cache.close()


async def test_a_store_that_no_policy_names_any_more_is_closed_and_the_others_stay() -> None:
    redis, qdrant = Shelf(), Shelf()
    cache = forgetful(None)
    await cache.share({REDIS: redis, QDRANT: qdrant})
    fp = printed()
    await put(cache, fp, IN_REDIS)
    await cache.share({REDIS: redis})
    assert (qdrant.closed, redis.closed) == (True, False)
    assert (await cache.look(fp, IN_REDIS)).hit is not None
    assert cache.store_stats(IN_REDIS)["state"] == "open"
    await cache.close()


async def test_what_was_used_is_told_to_the_shared_store_at_upkeep() -> None:
    redis = Shelf()
    cache = forgetful(None)
    await cache.share({REDIS: redis})
    fp = printed()
    await put(cache, fp, IN_REDIS)
    await cache.look(fp, IN_REDIS)
    await cache.upkeep()
    assert redis.touched == [fp.key]
    await cache.close()


async def test_a_purge_reaches_every_store_and_says_when_one_could_not() -> None:
    class Broken(Shelf):
        async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
            raise StoreError("redis is away")

    own, broken = Shelf(), Broken()
    cache = forgetful(own)
    await cache.share({QDRANT: broken})
    await put(cache, printed(), OWN)
    with pytest.raises(StoreError, match="redis is away"):
        await cache.purge(policy="support")
    assert own.records == {}
    await cache.close()


async def test_a_sick_store_does_not_keep_the_others_from_their_upkeep() -> None:
    redis, qdrant = Shelf(), Shelf()
    cache = forgetful(None)
    await cache.share({REDIS: redis, QDRANT: qdrant})
    redis.failure = "away"
    fp = printed()
    await put(cache, fp, IN_QDRANT)
    assert (await cache.look(fp, IN_REDIS)).hit is None
    assert (await cache.look(fp, IN_QDRANT)).hit is not None
    await cache.upkeep()
    assert qdrant.touched == [fp.key]
    assert cache.stats()["counts"]["store_errors"] >= 2
    await cache.close()
