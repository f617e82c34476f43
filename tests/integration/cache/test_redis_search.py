"""Redis without vector sets: RediSearch is found and used, on a stand-in before a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from doubles.redis_search_stand_in import SearchRedis
from doubles.redis_server import RunningRedis
from doubles.stores import PREFIX, redis_store

FIRST = axis(1.0).tobytes()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningRedis]:
    async with RunningRedis(tmp_path) as one:
        yield one


async def test_the_index_is_made_once_and_found_by_the_next_gateway(server: RunningRedis) -> None:
    async with SearchRedis(server) as search:
        first, second = redis_store(search), redis_store(search)
        await first.open()
        await first.put(record(1, vector=FIRST), 10)
        await second.open()
        assert [data for _, data in await second.nearest("s", FIRST, 0.5, 4, NOW)] == [record(1).data]
        assert search.asked == [b"FT._LIST", b"FT.CREATE", b"FT._LIST", b"FT.SEARCH"]
        await first.close()
        await second.close()


async def test_vector_sets_are_used_where_there_are_some(server: RunningRedis) -> None:
    store = redis_store(server)
    await store.open()
    await store.put(record(1, vector=FIRST), 10)
    assert await server.do("VCARD", f"{PREFIX}v:s") == 1
    await store.close()


async def test_a_vector_ends_with_its_record(server: RunningRedis) -> None:
    async with SearchRedis(server) as search:
        store = redis_store(search)
        await store.open()
        await store.put(record(1, used=NOW, vector=FIRST), 10)
        key = f"{PREFIX}h:{record(1).key}"
        assert 0 < await server.do("TTL", key) <= 60
        await store.drop(record(1).key)
        assert await server.do("EXISTS", key) == 0
        await store.close()


async def test_another_scopes_record_is_refused_when_the_server_lies(server: RunningRedis) -> None:
    async with SearchRedis(server) as search:
        store = redis_store(search)
        await store.open()
        await store.put(record(1, scope="theirs", vector=FIRST), 10)
        await store.put(record(2, scope="s", vector=axis(0.9).tobytes()), 10)
        search.lies = True
        assert [data for _, data in await store.nearest("s", FIRST, 0.0, 4, NOW)] == [record(2).data]
        await store.close()


async def test_a_server_with_neither_is_off_and_says_so(server: RunningRedis) -> None:
    async with SearchRedis(server) as search:
        search.searches = False
        store = redis_store(search)
        await store.open()
        assert "neither vector sets (Redis 8) nor RediSearch" in str(store.stats()["reason"])
        await store.close()
