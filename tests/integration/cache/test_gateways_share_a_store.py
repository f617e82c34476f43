"""Gateway processes whose policy names a shared store: what one stored, the other gives; without it both serve on."""

import asyncio
import itertools
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from doubles import behaviours as do
from doubles.qdrant_stand_in import standing_in
from doubles.redis_server import RunningRedis, free_port
from doubles.running import PATIENCE, ROOT
from doubles.scripted import Scripted
from doubles.serve import backend, config, policy, route, serving
from sluice_sidecar.config import Config, Credential, QdrantStore, RedisServer, SharedStore

NUMBERS = itertools.count()
"""What nobody asked before."""


@dataclass
class Process:
    """A gateway process and a client of it."""

    url: str
    admin: str
    client: httpx.AsyncClient

    async def ask(self, text: str = "What is a sluice?") -> str:
        """How the cache took part in a good answer."""
        body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": text}]}
        answer = await self.client.post(self.url + "/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-sluice-cache"]


@asynccontextmanager
async def gateway(folder: Path, served: Config) -> AsyncIterator[Process]:
    """`sluice-gateway` with that Config and no data folder, serving."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(served.to_json())
    secret = folder / "secrets" / "redis"
    secret.mkdir(parents=True, exist_ok=True)
    (secret / "password").write_text("open sesame\n")
    admin = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sluice_sidecar.main", "--config", str(folder / "config.json"), "--port", "0"),
        *("--admin-port", str(admin), "--secrets", str(folder / "secrets"), "--allow-loopback", "--report"),
        env={"PYTHONPATH": str(ROOT / "sidecar")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            while not (ready := re.match(rb"READY (\S+) (\d+)", line := await process.stdout.readline())):
                assert line, "the gateway ended"
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            url = f"http://127.0.0.1:{int(ready[2])}"
            yield Process(url, f"http://127.0.0.1:{admin}", client)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE)


def served(up: Scripted, store: SharedStore) -> Config:
    return config(route([backend(up.url)], policy="keep"), policies=[policy(store=store)])


async def share(one: Process, two: Process, up: Scripted, stored: Callable[[], Awaitable[int]]) -> None:
    """Asks one gateway what nobody asked before, until the other gives what that one has stored."""
    async with asyncio.timeout(PATIENCE):
        for number in NUMBERS:
            before = await stored()
            assert await one.ask(f"What is sluice {number}?") == "miss"
            waits = 0
            while await stored() == before and waits < 20:
                waits += 1
                await asyncio.sleep(0.05)
            count = up.count
            if await two.ask(f"What is sluice {number}?") == "identical":
                assert up.count == count
                return


async def test_gateways_serve_without_their_redis_and_share_it_once_it_is_there(tmp_path: Path) -> None:
    redis = RunningRedis(tmp_path / "r", "--requirepass", "open sesame")
    password = Credential(secret="redis", key="password")
    settings = RedisServer(address=redis.address, prefix="house:", password=password)

    async def stored() -> int:
        return len(await redis.do("KEYS", "house:a:*", password="open sesame"))

    async with AsyncExitStack() as stack:
        up = await stack.enter_async_context(Scripted())
        up.otherwise(do.text("A gate for water."))
        one, two = [
            await stack.enter_async_context(gateway(tmp_path / name, served(up, settings))) for name in ("one", "two")
        ]
        assert [await each.ask() for each in (one, two, one, two)] == ["miss", "miss", "identical", "identical"]
        await stack.enter_async_context(redis)
        await share(one, two, up, stored)
        await share(two, one, up, stored)


async def test_gateways_share_a_qdrant(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        up = await stack.enter_async_context(Scripted())
        up.otherwise(do.text("A gate for water."))
        qdrant = await stack.enter_async_context(standing_in(tmp_path))
        settings = served(up, QdrantStore(url=qdrant.url, collection="house"))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=PATIENCE, trust_env=False))
        one, two = [
            Process(running.url, running.admin, client)
            for running in [await stack.enter_async_context(serving(settings)) for _ in range(2)]
        ]

        async def stored() -> int:
            return sum(shard.info().points_count for shard in qdrant.app.shards.values())

        await share(one, two, up, stored)
        purged = await client.post(one.admin + "/-/purge", json={"policy": "keep"})
        assert purged.json()["purged"] >= 1
        assert await stored() == 0
