"""What a gateway tells the operator of a policy's store: why it cannot be used, and how much is in it."""

from pathlib import Path

import httpx

from doubles import behaviours as do
from doubles.redis_server import RunningRedis
from doubles.running import PATIENCE, until
from doubles.scripted import Scripted
from doubles.serve import backend, config, policy, route, serving
from sluice_sidecar.cluster.report import Reporter
from sluice_sidecar.config import RedisServer


async def test_a_store_that_is_away_is_named_with_its_reason_and_counts_once_it_is_back(tmp_path: Path) -> None:
    redis = RunningRedis(tmp_path / "r")
    store = RedisServer(address=redis.address, prefix="house:")
    async with Scripted() as up:
        up.otherwise(do.text("A gate for water."))
        served = config(route([backend(up.url)], policy="keep"), policies=[policy(store=store)])
        async with serving(served) as running, httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            reporter = Reporter(running.gateway, tmp_path / "token", role="shared")

            async def ask(text: str) -> None:
                body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
                answer = await client.post(running.url + "/v1/chat/completions", json=body)
                assert answer.status_code == 200

            await ask("What is a sluice?")
            await until(lambda: reporter.body()["policies"]["keep"]["store"], "a reason while Redis is away")
            async with redis:
                await until(lambda: reporter.body()["policies"]["keep"]["store"] == "", "no reason once it is back")
                await ask("What is a lock?")
                await until(lambda: reporter.body()["policies"]["keep"]["entries"] == 1, "the entry is counted")
