"""The managed Redis's command line and users file, on a real redis-server."""

from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from doubles.redis_server import RunningRedis
from sluice_operator.installation import Installation
from sluice_operator.plan.store_secrets import REDIS_USER, redis_users
from sluice_operator.render.redis import redis
from sluice_operator.sections import redis_prefix


async def test_redis_starts_as_it_is_rendered_and_lets_gateways_in(tmp_path: Path) -> None:
    users = tmp_path / "users.acl"
    users.write_text(redis_users("shop", "word", "own"))
    [workload] = [entry for entry in redis("shop", "2Gi", Installation(), key="1") if entry["kind"] == "StatefulSet"]
    words = workload["spec"]["template"]["spec"]["containers"][0]["args"]
    arguments = dict(zip(words[::2], words[1::2], strict=True))
    # The port and the folders of a pod are not those of a test.
    assert (arguments.pop("--port"), arguments.pop("--dir")) == ("6379", "/data")
    assert arguments["--aclfile"] == "/etc/redis-users/users.acl"
    arguments["--aclfile"] = str(users)
    async with RunningRedis(tmp_path / "data", *(word for pair in arguments.items() for word in pair)) as server:
        key = f"{redis_prefix('shop')}a"
        await server.do("SET", key, "1", username=REDIS_USER, password="word")
        assert await server.do("GET", key, username=REDIS_USER, password="word") == b"1"
        for refused in (("SET", "another:a", "1"), ("CONFIG", "GET", "maxmemory"), ("FLUSHALL",)):
            with pytest.raises(ResponseError):
                await server.do(*refused, username=REDIS_USER, password="word")
