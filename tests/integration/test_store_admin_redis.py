"""A running Redis is told of its users by the operator, without a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis.asyncio as client
from redis.exceptions import AuthenticationError, ResponseError

from doubles.redis_server import RunningRedis, free_port
from sluice_operator.plan.plan import RedisDuty
from sluice_operator.plan.store_secrets import REDIS_OPERATOR, REDIS_USER, redis_revision, redis_users
from sluice_operator.redis_admin import keep_redis
from sluice_operator.sections import redis_prefix
from sluice_operator.store_places import Places
from sluice_operator.store_refusal import StoreRefusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDRESS = "sluice-redis.shop.svc:6379"
KEY = f"{redis_prefix('shop')}a"
BEYOND: list[tuple[str, str, tuple[str, ...]]] = [
    (REDIS_USER, "first", ("SET", "sluice:another:a", "1")),
    (REDIS_USER, "first", ("GET", "sluice:sho")),
    (REDIS_USER, "first", ("KEYS", "*")),
    (REDIS_USER, "first", ("SCAN", "0")),
    (REDIS_USER, "first", ("CONFIG", "GET", "maxmemory")),
    (REDIS_USER, "first", ("FLUSHALL",)),
    (REDIS_USER, "first", ("FLUSHDB",)),
    (REDIS_USER, "first", ("EVAL", "return 1", "0")),
    (REDIS_USER, "first", ("ACL", "LIST")),
    (REDIS_USER, "first", ("ACL", "LOAD")),
    (REDIS_USER, "first", ("CLIENT", "LIST")),
    (REDIS_USER, "first", ("PUBLISH", KEY, "1")),
    (REDIS_USER, "first", ("SHUTDOWN",)),
    (REDIS_OPERATOR, "of-the-operator", ("GET", KEY)),
    (REDIS_OPERATOR, "of-the-operator", ("ACL", "SETUSER", "gateway", "+@all")),
    (REDIS_OPERATOR, "of-the-operator", ("CONFIG", "SET", "maxmemory", "1")),
    ("health", "any", ("GET", KEY)),
]


def users(password: str) -> str:
    return redis_users("shop", password, "of-the-operator")


def duty(content: str, password: str = "of-the-operator") -> RedisDuty:
    return RedisDuty(ADDRESS, REDIS_OPERATOR, password, redis_revision(content))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningRedis]:
    """One server for all tests: nothing here starts it anew."""
    folder = tmp_path_factory.mktemp("redis")
    (folder / "users.acl").write_text(users("first"))
    async with RunningRedis(folder, "--aclfile", str(folder / "users.acl")) as one:
        yield one


@pytest.fixture
def acl(started: RunningRedis) -> Path:
    return started.folder / "users.acl"


@pytest_asyncio.fixture(loop_scope="module")
async def server(started: RunningRedis, acl: Path) -> RunningRedis:
    """The server, with the users it started with."""
    acl.write_text(users("first"))
    assert await keep_redis(duty(users("first")), places(started))
    return started


def places(server: RunningRedis) -> Places:
    return Places({ADDRESS: server.address})


async def test_a_new_file_of_users_holds_once_it_is_there(server: RunningRedis, acl: Path) -> None:
    second = users("second")
    assert await keep_redis(duty(users("first")), places(server))
    assert not await keep_redis(duty(second), places(server))
    acl.write_text(second)
    assert await keep_redis(duty(second), places(server))
    await server.do("SET", KEY, "1", username=REDIS_USER, password="second")
    with pytest.raises(AuthenticationError):
        await server.do("GET", KEY, username=REDIS_USER, password="first")


async def test_who_is_signed_in_stays_so_when_others_change(server: RunningRedis, acl: Path) -> None:
    gateway = client.Redis(port=server.port, username=REDIS_USER, password="first", single_connection_client=True)
    ident = await gateway.client_id()
    other = users("first").replace("user health on", "user health off")
    acl.write_text(other.replace(redis_revision(other), "revision-changed"))
    assert await keep_redis(duty("user revision-changed off\n"), places(server))
    assert await gateway.client_id() == ident
    await gateway.aclose()


async def test_a_file_that_the_server_refuses_leaves_the_users_as_they_are_and_is_told(
    server: RunningRedis, acl: Path
) -> None:
    acl.write_text("user broken +no-such-command\n")
    with pytest.raises(StoreRefusal, match=r"sluice-redis.shop.svc:6379 refuses the operator: .*no-such-command"):
        await keep_redis(duty(users("second")), places(server))
    await server.do("SET", KEY, "1", username=REDIS_USER, password="first")


async def test_a_wrong_password_is_told_and_not_shown(server: RunningRedis) -> None:
    with pytest.raises(StoreRefusal, match="WRONGPASS") as refused:
        await keep_redis(duty(users("first"), "a-secret"), places(server))
    assert "a-secret" not in f"{refused.value} {duty('user a off', 'a-secret')}"


async def test_a_server_that_is_away_is_told() -> None:
    with pytest.raises(StoreRefusal, match="cannot be asked"):
        await keep_redis(duty(users("first")), Places({ADDRESS: f"127.0.0.1:{free_port()}"}))


async def test_no_user_does_more_than_it_is_for(server: RunningRedis) -> None:
    for user, password, command in BEYOND:
        with pytest.raises(ResponseError, match=r"(?i)no permissions"):
            await server.do(*command, username=user, password=password)
