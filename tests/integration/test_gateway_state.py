"""Gateways with a `state` tell the savings of all, and serve on without it."""

from pathlib import Path
from typing import Any

import httpx

from doubles.behaviours import text
from doubles.redis_server import RunningRedis
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.config import RedisServer

HELLO: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


async def ask(client: httpx.AsyncClient, *gateways: Served) -> None:
    for one in gateways:
        assert (await client.post(f"{one.base_url}/chat/completions", json=HELLO)).status_code == 200


async def savings(client: httpx.AsyncClient, served: Served) -> Any:
    return (await client.get(f"{served.admin}/-/savings")).json()


async def test_any_gateway_tells_what_all_saved_and_each_what_it_counted_while_redis_is_away(tmp_path: Path) -> None:
    async with Scripted() as up, RunningRedis(tmp_path / "redis") as redis:
        up.otherwise(text("Hello"))
        served = config(route([backend(up.url)]), state=RedisServer(address=redis.address, prefix="sluice:shop:"))
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client, serving(served) as one:
            async with serving(served) as two:
                await ask(client, one, two, two)
                assert (await savings(client, two))["requests"] >= 2
            total = await savings(client, one)  # the other wrote the rest when it left
            assert (total["requests"], total["shared"]) == (3, {"gateways": 2, "trouble": None})
            redis.kill()
            await ask(client, one)
            total = await savings(client, one)
            assert (total["requests"], total["shared"]["gateways"]) == (4, 2)
            assert total["shared"]["trouble"]
            await one.gateway.swap(config(route([backend(up.url)])))
            total = await savings(client, one)
            assert (total["requests"], total["shared"]) == (2, None)
