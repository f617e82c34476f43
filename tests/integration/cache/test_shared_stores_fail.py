"""A shared store that is away costs nobody time, says why, and comes back by itself."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from doubles.cached import axis
from doubles.qdrant_stand_in import standing_in
from doubles.records import NOW, record
from doubles.redis_server import RunningRedis
from doubles.stores import PATIENCE, qdrant_store, redis_store
from sluice_sidecar.cache.stores.link import READ, SLOW
from sluice_sidecar.cache.stores.redis import COMMANDS
from sluice_sidecar.cache.stores.store import Store, StoreError

FIRST = axis(1.0).tobytes()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningRedis]:
    async with RunningRedis(tmp_path) as one:
        yield one


async def back(store: Store) -> None:
    """Waits until the store is open again."""
    async with asyncio.timeout(60):
        while store.stats()["state"] != "open":
            try:
                await store.upkeep(NOW)
            except StoreError:
                continue
            await asyncio.sleep(0.05)


async def away(store: Store) -> None:
    """Asks until the store is off; whatever fails before is a StoreError."""
    async with asyncio.timeout(60):
        while store.stats()["state"] != "off":
            try:
                await store.get(record(1).key, NOW)
            except StoreError:
                continue


async def test_a_killed_redis_costs_nothing_and_comes_back_with_what_it_held(server: RunningRedis) -> None:
    store = redis_store(server)
    await store.open()
    await store.put(record(1, life=600.0, vector=FIRST), 10)
    await server.do("CONFIG", "SET", "appendfsync", "always")
    await store.put(record(2, life=600.0, vector=FIRST), 10)
    server.kill()
    await away(store)
    start = time.perf_counter()
    for _ in range(1000):
        assert await store.get(record(1).key, NOW) is None
        assert await store.nearest("s", FIRST, 0.5, 4, NOW) == []
        assert not await store.put(record(3), 10)
    assert time.perf_counter() - start < PATIENCE / 2
    with pytest.raises(StoreError, match="redis 127"):
        await store.purge(None, None, None)
    await server.start()
    await back(store)
    assert await store.get(record(2).key, NOW) == record(2, life=600.0).data
    assert len(await store.nearest("s", FIRST, 0.5, 4, NOW)) == 2
    await store.close()


async def test_a_redis_that_hangs_is_waited_for_shortly_and_a_few_times(server: RunningRedis) -> None:
    store = redis_store(server, patience=READ)
    await store.open()
    await store.put(record(1, life=600.0), 10)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        start = time.perf_counter()
        for _ in range(SLOW):
            with pytest.raises(StoreError, match=r"no answer within 0\.05 s"):
                await store.get(record(1).key, NOW)
        assert await store.get(record(1).key, NOW) is None
        assert time.perf_counter() - start < PATIENCE / 2
        assert store.stats()["state"] == "off"
        assert "no answer" in str(store.stats()["reason"])
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await back(store)
    assert await store.get(record(1).key, NOW) is not None
    await store.close()


async def test_a_wrong_password_is_said_and_a_right_one_taken_up(server: RunningRedis) -> None:
    await server.do("ACL", "SETUSER", "default", "resetpass", ">right")
    store = redis_store(server, password="wrong-one")
    await store.open()
    stats = store.stats()
    assert stats["state"] == "off"
    assert "password" in str(stats["reason"])
    assert "wrong-one" not in str(stats)
    await server.do("ACL", "SETUSER", "default", "resetpass", ">wrong-one", password="right")
    await back(store)
    assert await store.put(record(1), 10)
    await store.close()


async def test_a_user_of_one_prefix_reaches_no_other(server: RunningRedis) -> None:
    commands = [f"+{command}" for command in COMMANDS]
    await server.do("ACL", "SETUSER", "team-a", "on", ">one", "~a:*", "-@all", "+@connection", *commands)
    own = redis_store(server, prefix="a:", username="team-a", password="one")
    await own.open()
    assert await own.put(record(1, vector=FIRST), 10)
    assert len(await own.nearest("s", FIRST, 0.5, 4, NOW)) == 1
    await own.touch([record(1).key], NOW)
    await own.upkeep(NOW)
    assert await own.get(record(1).key, NOW) is not None
    assert await own.put(record(2), 1)
    assert await own.purge(None, None, None) == 1
    other = redis_store(server, prefix="b:", username="team-a", password="one")
    await other.open()
    assert other.stats()["state"] == "off"
    assert "may not" in str(other.stats()["reason"])
    with pytest.raises(NoPermissionError):
        await server.do("GET", "b:a:1", username="team-a", password="one")
    await own.close()
    await other.close()


async def test_a_full_redis_takes_no_more_and_still_gives(server: RunningRedis) -> None:
    store = redis_store(server)
    await store.open()
    await store.put(record(1), 10)
    await server.do("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
    assert not await store.put(record(2), 10)
    assert store.stats()["state"] == "full"
    assert await store.get(record(1).key, NOW) == record(1).data
    await server.do("CONFIG", "SET", "maxmemory", "0")
    assert await store.put(record(2), 10)
    assert store.stats()["state"] == "open"
    await store.close()


async def test_prefixes_of_one_server_are_stores_of_their_own(server: RunningRedis) -> None:
    one, two = redis_store(server, prefix="one:"), redis_store(server, prefix="two:")
    for store in (one, two):
        await store.open()
    await one.put(record(1, vector=FIRST), 10)
    assert await two.get(record(1).key, NOW) is None
    assert await two.nearest("s", FIRST, 0.0, 4, NOW) == []
    assert await two.purge(None, None, None) == 0
    assert await one.get(record(1).key, NOW) is not None
    for store in (one, two):
        await store.close()


async def test_a_purge_is_told_to_the_other_gateways_once_even_after_a_break(server: RunningRedis) -> None:
    told: list[tuple[str | None, str | None, str | None]] = []
    await server.do("CONFIG", "SET", "appendfsync", "always")
    early, late = redis_store(server), redis_store(server, purged=lambda *what: told.append(what))
    await early.open()
    await early.purge("before", None, None)
    await late.open()
    await late.upkeep(NOW)
    assert told == []
    await early.purge("support", None, None)
    await early.purge(None, "acme", record(1).key)
    for _ in range(2):
        await late.upkeep(NOW)
        assert told == [("support", None, None), (None, "acme", record(1).key)]
    server.kill()
    await away(late)
    await away(early)
    await server.start()
    await back(early)
    await early.purge(None, None, None)
    await back(late)
    await late.upkeep(NOW)
    assert told[2:] == [(None, None, None)]
    await early.close()
    await late.close()


async def test_what_redis_threw_out_is_no_neighbour(server: RunningRedis) -> None:
    store = redis_store(server)
    await store.open()
    await store.put(record(1, vector=FIRST), 10)
    await server.do("DEL", f"sluice:a:{record(1).key}")
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []
    await store.close()


async def test_a_qdrant_that_is_away_costs_nothing_and_comes_back(tmp_path: Path) -> None:
    async with standing_in(tmp_path) as server:
        store = qdrant_store(server)
        await store.open()
        await store.put(record(1, vector=FIRST), 10)
        await server.stop()
        await away(store)
        start = time.perf_counter()
        for _ in range(1000):
            assert await store.get(record(1).key, NOW) is None
            assert not await store.put(record(3), 10)
        assert time.perf_counter() - start < PATIENCE / 2
        with pytest.raises(StoreError, match="qdrant"):
            await store.purge(None, None, None)
        await server.start()
        await back(store)
        assert await store.get(record(1).key, NOW) == record(1).data
        await store.close()
