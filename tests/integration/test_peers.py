"""Workers that share worker 0's store over its socket."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doubles.shelf import Shelf
from sluice_sidecar.cache.stores.store import Record, StoreError
from sluice_sidecar.peers import PeerHost, RemoteStore

Purge = tuple[str | None, str | None, str | None]


def record(key: str = "k", *, tenant: str = "t", data: bytes = b"\x00answer\n", vector: bytes | None = None) -> Record:
    return Record(key, "scope", tenant, "p", expires=100.0, until=200.0, used=1.0, data=data, vector=vector)


async def until(state: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not state():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[tuple[Shelf, PeerHost, RemoteStore, list[Purge]]]:
    shelf, purges = Shelf(), list[Purge]()
    host = PeerHost(folder / "peers.sock", shelf)
    await host.open()
    remote = RemoteStore(
        folder / "peers.sock", 1, purged=lambda *what: purges.append(what), counts=lambda: {"requests": {"": [7]}}
    )
    await remote.open()
    try:
        await until(lambda: remote.stats().get("state") == "open")
        purges.clear()
        yield shelf, host, remote, purges
    finally:
        await remote.close()
        await host.close()


async def test_records_come_back_byte_for_byte(tmp_path: Path) -> None:
    async with pair(tmp_path) as (shelf, _, remote, _):
        vector = struct.pack("<2f", 1.0, 0.0)
        assert await remote.put(record(data=bytes(range(256)) * 100, vector=vector), 10)
        assert shelf.records["k"] == record(data=bytes(range(256)) * 100, vector=vector)
        assert await remote.get("k", 0.0) == bytes(range(256)) * 100
        assert await remote.get("k", 201.0) is None
        assert await remote.get("absent", 0.0) is None
        await remote.put(record("e", data=b""), 10)
        assert await remote.get("e", 0.0) == b""
        assert await remote.drop("k")
        assert not await remote.drop("k")


async def test_neighbours_keep_their_order_and_scores(tmp_path: Path) -> None:
    async with pair(tmp_path) as (_, _, remote, _):
        for key, angle in (("near", (1.0, 0.0)), ("nearer", (0.6, 0.8)), ("far", (-1.0, 0.0))):
            await remote.put(record(key, data=key.encode(), vector=struct.pack("<2f", *angle)), 10)
        found = await remote.nearest("scope", struct.pack("<2f", 0.6, 0.8), 0.0, 5, 0.0)
        assert [data for _, data in found] == [b"nearer", b"near"]
        assert found[0][0] == pytest.approx(1.0)
        assert await remote.nearest("other", struct.pack("<2f", 0.6, 0.8), 0.0, 5, 0.0) == []


async def test_many_questions_at_one_time_get_their_own_answers(tmp_path: Path) -> None:
    async with pair(tmp_path) as (_, _, remote, _):
        for i in range(100):
            await remote.put(record(str(i), data=str(i).encode()), 1000)
        answers = await asyncio.gather(*(remote.get(str(i), 0.0) for i in range(100)))
        assert answers == [str(i).encode() for i in range(100)]


async def test_a_failing_store_fails_the_question_and_not_the_connection(tmp_path: Path) -> None:
    async with pair(tmp_path) as (shelf, _, remote, _):
        shelf.failure = "the disk is full"
        with pytest.raises(StoreError, match="the disk is full"):
            await remote.put(record(), 10)
        shelf.failure = None
        assert await remote.put(record(), 10)


async def test_a_purge_anywhere_empties_every_memory(tmp_path: Path) -> None:
    async with pair(tmp_path) as (shelf, host, remote, purges):
        await remote.put(record("a", tenant="x"), 10)
        await remote.put(record("b", tenant="y"), 10)
        assert await host.purge(None, "x", None) == 1
        await until(lambda: (None, "x", None) in purges)
        purges.clear()
        assert await remote.purge("p", None, "b") == 1
        await until(lambda: ("p", None, "b") in purges)
        assert not shelf.records


async def test_counts_reach_worker_0(tmp_path: Path) -> None:
    async with pair(tmp_path) as (_, host, _, _):
        assert host.counts == {1: {"requests": {"": [7]}}}
        assert host.stats()["peers"] == 1


async def test_without_worker_0_it_says_so_at_once_and_comes_back_forgetful(tmp_path: Path) -> None:
    async with pair(tmp_path) as (shelf, host, remote, purges):
        await host.close()
        await until(lambda: remote.stats()["state"] == "off")
        with pytest.raises(StoreError, match="worker 0"):
            await remote.get("k", 0.0)
        assert shelf.closed
        shelf.records["k"] = record()
        again = PeerHost(tmp_path / "peers.sock", shelf)
        await again.open()
        await until(lambda: remote.stats().get("state") == "open")
        assert await remote.get("k", 0.0) == record().data
        assert (None, None, None) in purges  # what was purged meanwhile cannot be known
        await again.close()


async def test_the_socket_is_for_this_user_alone_and_may_lie_deep(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    async with pair(folder) as (_, _, remote, _):
        assert (folder / "peers.sock").stat().st_mode & 0o777 == 0o600
        assert await remote.put(record(), 10)
    assert not (folder / "peers.sock").exists()


async def test_a_stranger_on_the_socket_harms_nobody(tmp_path: Path) -> None:
    async with pair(tmp_path) as (_, _, remote, _):
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\x00\x00\x00\x02\x00\x00\x00\x00{}"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "peers.sock")
            writer.write(noise)
            writer.write_eof()
            async with asyncio.timeout(60):
                await reader.read()
            writer.close()
            await writer.wait_closed()
        assert await remote.put(record(), 10)
