"""The gateways' user of a managed Redis can keep a queue in it, and still reaches nothing beyond its keys."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.exceptions import NoPermissionError, ResponseError

from doubles.redis_server import RunningRedis
from sluice_operator.plan.store_secrets import REDIS_USER, redis_users
from sluice_operator.sections import redis_prefix
from sluice_sidecar.batch.stores.redis import script

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = f"{redis_prefix('shop')}{{batch}}:a"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningRedis]:
    folder: Path = tmp_path_factory.mktemp("redis")
    (folder / "users.acl").write_text(redis_users("shop", "word", "own", queue=True))
    async with RunningRedis(folder, "--appendfsync", "always", "--aclfile", str(folder / "users.acl")) as one:
        yield one


async def does(server: RunningRedis, *command: str) -> object:
    return await server.do(*command, username=REDIS_USER, password="word")


async def test_every_command_of_the_queues_script_is_allowed(server: RunningRedis) -> None:
    named = set(re.findall(r"\b(?:call\(|and |or )\s*'([A-Z]{3,})'", script()))
    assert {"HGET", "ZADD", "SREM"} <= named
    asked = f"local told = {{}} for _, name in ipairs(ARGV) do {CALL} end return told"
    sha = await does(server, "SCRIPT", "LOAD", asked)
    assert isinstance(sha, bytes)
    assert await does(server, "EVALSHA", sha.decode(), "1", KEY, *sorted(named)) == []


CALL = (
    "local said = redis.pcall(name, KEYS[1]) "
    "if type(said) == 'table' and said.err and string.find(said.err, 'ermission') then told[#told + 1] = name end"
)
"""Whatever else is wrong with a command of one key alone, it is not for the user's rights."""


async def test_its_writes_are_proven_to_be_on_the_disk_and_its_memory_is_told(server: RunningRedis) -> None:
    assert await does(server, "WAITAOF", "0", "0", "100") is not None
    assert await does(server, "INFO", "memory")


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "sluice:another:a", "1"),
        ("HGETALL", "sluice:another:a"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "maxmemory"),
        ("EVAL", "return 1", "0"),
        ("SORT", KEY),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
    ],
    ids=lambda command: command[0],
)
async def test_nothing_else_is(server: RunningRedis, command: tuple[str, ...]) -> None:
    with pytest.raises(NoPermissionError):
        await does(server, *command)


async def test_a_script_reaches_no_key_of_another_namespace(server: RunningRedis) -> None:
    sha = await does(server, "SCRIPT", "LOAD", "return redis.pcall('GET', ARGV[1])")
    assert isinstance(sha, bytes)
    with pytest.raises(ResponseError, match="No permissions to access a key"):
        await does(server, "EVALSHA", sha.decode(), "1", KEY, "sluice:another:a")
