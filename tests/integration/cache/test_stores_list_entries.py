"""Stores that can list what they hold give each record of a policy once, and nothing else."""

from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from doubles.stores import STORES
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.scannable import Scannable
from sluice_sidecar.cache.stores.store import StoreError


@pytest.mark.parametrize("name", ["edge", "redis", "redis_search"])
async def test_every_record_of_the_policy_comes_once(name: str, tmp_path: Path) -> None:
    async with STORES[name](tmp_path) as kept:
        assert isinstance(kept.store, Scannable)
        vectors = axis(1.0).tobytes(), None
        own = [record(number, life=3600.0, used=NOW, vector=vectors[number % 2]) for number in range(230)]
        for one in own:
            await kept.store.put(one, 1000)
        await kept.store.put(record(900, life=3600.0, used=NOW, policy="other"), 1000)
        await kept.store.drop(own[0].key)
        found = [data async for data in kept.store.scan(own[0].policy)]
        assert sorted(found) == sorted(one.data for one in own[1:])
        assert [data async for data in kept.store.scan("nobody's")] == []


async def test_a_store_that_is_off_says_so(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "cache")
    with pytest.raises(StoreError, match="off"):
        await anext(store.scan("p"))
