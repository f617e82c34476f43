"""Gateways add their totals up through a real Redis, and count on by themselves while it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doubles.bookkeeping import NOON, hit, route
from doubles.redis_server import RunningRedis
from sluice_operator.plan.store_secrets import REDIS_USER, redis_users
from sluice_sidecar.cache.stores.redis import Server
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.ledger.shared import SharedTotals, replica

PREFIX = "sluice:shop:"


def sharing(ledger: Ledger, server: RunningRedis, name: str, *, worker: int = 0, prefix: str = PREFIX) -> SharedTotals:
    """Not started: a test writes when it wants to."""

    async def where() -> Server:
        return "127.0.0.1", server.port, None, None

    return SharedTotals(prefix, where, ledger.own, replica=name, worker=worker)


def counted(number: int, day: int = 0) -> Ledger:
    ledger = Ledger()
    for n in range(number):
        ledger.record(hit(id=f"{id(ledger)}-{n}", at=NOON + day * 86_400 + n), route())
    return ledger


def requests(shared: SharedTotals) -> int:
    return sum(row.requests for _, row in shared.others)


def trouble(shared: SharedTotals) -> str | None:
    return shared.trouble


@asynccontextmanager
async def closing(*shared: SharedTotals) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for one in shared:
            await one.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningRedis]:
    async with RunningRedis(tmp_path / "redis") as running:
        yield running


async def test_each_reads_what_the_others_counted(server: RunningRedis) -> None:
    one, two, three = (sharing(counted(n), server, f"gateway-{n}") for n in (1, 2, 4))
    async with closing(one, two, three):
        for shared in (one, two, three):
            await shared.write()
        for shared, others in ((one, 6), (two, 5), (three, 3)):
            await shared.read()
            assert (requests(shared), shared.replicas, shared.trouble) == (others, 2, None)


async def test_processes_of_one_gateway_are_not_counted_twice(server: RunningRedis) -> None:
    first, second = (sharing(counted(3), server, "gateway", worker=n) for n in (0, 1))
    other = sharing(counted(1), server, "other")
    async with closing(first, second, other):
        for shared in (first, second, other):
            await shared.write()
        await first.read()
        await other.read()
        assert (requests(first), first.replicas) == (1, 1)
        assert (requests(other), other.replicas) == (6, 1)


async def test_writing_again_and_counting_on_adds_nothing_twice(server: RunningRedis) -> None:
    ledger = counted(2)
    mine, reader = sharing(ledger, server, "mine"), sharing(counted(0), server, "reader")
    async with closing(mine, reader):
        await mine.write()
        await mine.write()
        ledger.record(hit(id="more", at=NOON + 9), route())
        await mine.write()
        again = sharing(ledger, server, "mine")  # the same gateway, started again
        await again.write()
        await again.close()
        await reader.read()
        assert requests(reader) == 3


async def test_money_and_days_come_across_whole(server: RunningRedis) -> None:
    ledger = counted(300)
    for day in range(1, 300):
        ledger.record(hit(id=f"d{day}", at=NOON + day * 86_400), route())
    mine, reader = sharing(ledger, server, "mine"), sharing(counted(0), server, "reader")
    async with closing(mine, reader):
        await mine.write()
        await reader.read()
        assert {key: row.plain() for key, row in reader.others} == {key: row.plain() for key, row in ledger.rows()}


async def test_another_namespaces_totals_are_not_read(server: RunningRedis) -> None:
    mine = sharing(counted(1), server, "mine")
    other = sharing(counted(1), server, "other", prefix="sluice:other:")
    async with closing(mine, other):
        await other.write()
        await mine.read()
        assert requests(mine) == 0


async def test_what_is_no_total_is_passed_over(server: RunningRedis) -> None:
    mine, other = sharing(counted(1), server, "mine"), sharing(counted(2), server, "other")
    async with closing(mine, other):
        await other.write()
        await server.do("HSET", f"{PREFIX}l:other.0", "nonsense", "{}", '[1,"r"]', "{}", '[1,"r","b","c","USD"]', "[]")
        await mine.read()
        assert requests(mine) == 2


async def test_while_redis_is_away_what_was_read_stays_and_what_was_counted_comes_later(
    server: RunningRedis, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = counted(1)
    mine, other = sharing(ledger, server, "mine"), sharing(counted(2), server, "other")
    async with closing(mine, other):
        for shared in (mine, other):
            await shared.write()
        await mine.read()
        server.kill()
        ledger.record(hit(id="meanwhile", at=NOON + 5), route())
        await mine.write()
        await mine.write()
        assert "totals are not shared at present, each gateway counts on by itself" in caplog.text
        caplog.clear()
        await mine.read()
        await mine.write()
        assert caplog.text == ""  # told once
        assert requests(mine) == 2
        assert mine.trouble
        await server.start()
        await mine.write()
        await other.read()
        assert requests(other) == 2
        assert trouble(mine) is None


async def test_a_server_that_forgot_gets_everything_again(server: RunningRedis) -> None:
    ledger = counted(2)
    ledger.record(hit(id="yesterday", at=NOON - 86_400), route())
    mine, reader = sharing(ledger, server, "mine"), sharing(counted(0), server, "reader")
    async with closing(mine, reader):
        await mine.write()
        await server.do("FLUSHALL")
        ledger.record(hit(id="today", at=NOON + 5), route())
        await mine.write()  # finds out
        await mine.write()
        await reader.read()
        assert requests(reader) == 4


async def test_a_server_that_never_answers_costs_a_second_and_no_more() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    quiet = await asyncio.start_server(silent, "127.0.0.1", 0)

    async def where() -> Server:
        return "127.0.0.1", quiet.sockets[0].getsockname()[1], None, None

    shared = SharedTotals(PREFIX, where, counted(1).own, replica="mine")
    async with quiet, asyncio.timeout(60), closing(shared):
        await shared.write()
        assert shared.trouble == "no answer within 1 s"


async def test_a_missing_credential_is_said() -> None:
    async def nowhere() -> Server:
        raise StoreError("the credential s/k has no value: set X")

    shared = SharedTotals(PREFIX, nowhere, counted(1).own, replica="mine")
    await shared.read()
    assert shared.trouble == "the credential s/k has no value: set X"


async def test_the_user_that_gateways_have_may_do_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(redis_users("shop", "open sesame", "operator"))
    async with RunningRedis(tmp_path / "redis", "--aclfile", str(tmp_path / "users")) as server:

        async def where() -> Server:
            return "127.0.0.1", server.port, REDIS_USER, "open sesame"

        mine, other = (SharedTotals(PREFIX, where, counted(2).own, replica=name) for name in ("mine", "other"))
        async with closing(mine, other):
            await other.write()
            await mine.read()
            assert (requests(mine), mine.trouble, other.trouble) == (2, None, None)


async def test_a_report_says_how_many_gateways_are_in_it(server: RunningRedis) -> None:
    ledger, other = counted(2), sharing(counted(3), server, "other")
    assert ledger.savings()["shared"] is None
    async with closing(other):
        await other.write()
        await ledger.share(sharing(ledger, server, "mine"))
        await ledger.gather()
        report = ledger.savings()
        assert (report["requests"], report["shared"]) == (5, {"gateways": 2, "trouble": None})
        assert sum(row.requests for _, row in ledger.rows()) == 2  # the operator adds gateways up itself
        await ledger.close()
        await other.read()
        assert requests(other) == 2


def test_a_replica_keeps_its_name_as_long_as_its_folder_lives(tmp_path: Path) -> None:
    name = replica(tmp_path / "data")
    assert replica(tmp_path / "data") == name
    assert replica(tmp_path / "other") != name
    assert replica(None) != replica(None)
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["replica"]


def test_a_folder_that_cannot_be_written_costs_the_name_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(replica(tmp_path / "file" / "data")) == 32
