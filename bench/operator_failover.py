"""How soon another replica does the leader's work when that is killed or told to stop, and what callers see of it."""

import asyncio
import itertools
import os
import signal
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.operator_api import MERGE, Api, BenchError, api_server, collection, namespace
from bench.operator_gateways import Tap, fleet
from bench.operator_load import Callers, model
from bench.operator_process import HOME, Operator, operator
from bench.operator_rollout import KEYED, OPEN, TEAM, credential, route
from bench.processes import free_port
from sluice_operator import names
from sluice_operator.plan.plan import Manifest

ROUNDS = 3
"""At full scale, of each kind."""
PAUSE = 0.02
"""Seconds between two asks of one caller."""
PATIENCE = 60.0


def failover(scale: float) -> dict[str, Any]:
    """Two replicas. The leader is killed (SIGKILL), or told to stop (SIGTERM), and a route is changed once it leads no
    more. Counted from the signal until the other replica has published it; then a fresh replica takes the old one's
    place. All the while a caller asks a sidecar, in turn for a model that it calls itself and for one that it relays.
    """
    return asyncio.run(_failover(max(1, round(ROUNDS * scale))))


async def _failover(rounds: int) -> dict[str, Any]:
    async with api_server() as api, model() as host, AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        await api.create(namespace(TEAM))
        for made in (credential(host, 0), route(OPEN, host, 0), route(KEYED, host, 0, keyed=True)):
            await api.create(made)
        first = free_port()
        tap = await stack.enter_async_context(Tap(first).running())
        replicas = [await _replica(api, folder, tap, stack, first), await _replica(api, folder, tap, stack)]
        started = await stack.enter_async_context(fleet(api, TEAM, folder, tap, 1))
        load = os.getloadavg()[0]
        versions = itertools.count(1)
        times: dict[signal.Signals, list[float]] = {signal.SIGKILL: [], signal.SIGTERM: []}
        async with Callers(started.sidecars, (OPEN, KEYED), PAUSE).calling() as tally:
            for _ in range(rounds):
                for how, seconds in times.items():
                    leader, other = await _told_apart(api, replicas)
                    tap.operator_port = leader.webhook_port
                    seconds.append(await _take_over(api, leader, other, how, route(OPEN, host, next(versions))))
                    replicas = [other, await _replica(api, folder, tap, stack)]
        return {
            "load_before": round(load, 2),
            "killed_most_s": round(max(times[signal.SIGKILL]), 2),
            "told_to_stop_most_s": round(max(times[signal.SIGTERM]), 2),
            "rounds": rounds,
            **tally.plain(),
        }


async def _replica(api: Api, folder: Path, tap: Tap, stack: AsyncExitStack, port: int = 0) -> Operator:
    """Another one, whose mirror is full."""
    flags = ("--injection", "false", "--report-url", f"http://127.0.0.1:{tap.port}")
    running = await stack.enter_async_context(operator(api, folder, *flags, webhook_port=port))
    await running.logged(r"listed \d+ objects")
    await running.logged("webhook and reports on port")
    return running


async def _told_apart(api: Api, replicas: list[Operator]) -> tuple[Operator, Operator]:
    """The leader and the other one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            holder = await _holder(api)
            for one, other in (replicas, replicas[::-1]):
                if holder.endswith(f"-{one.process.pid}"):
                    return one, other
            await asyncio.sleep(0.1)


async def _take_over(api: Api, leader: Operator, other: Operator, how: signal.Signals, change: Manifest) -> float:
    """Seconds from the signal until what was changed as soon as the leader was gone is published by the other one."""
    began = time.perf_counter()
    leader.process.send_signal(how)
    # One that is told to stop hands its lease on, and then takes its time to leave.
    async with asyncio.timeout(PATIENCE):
        await (leader.process.wait() if how is signal.SIGKILL else _handed_on(api, leader))
    await api.call("PATCH", f"{collection(change)}/{OPEN}", {"spec": change["spec"]}, MERGE)
    wanted = change["spec"]["backends"][0]["custom"]["url"]
    async with asyncio.timeout(PATIENCE):
        async for _, found in api.watch(f"/api/v1/namespaces/{TEAM}/configmaps"):
            if wanted in found["data"].get(names.CONFIG_KEY, ""):
                break
    seconds = time.perf_counter() - began
    await leader.end(how)
    if other.process.returncode is not None:
        raise BenchError(f"the other replica ended too:\n{other.log[-2000:]}")
    return seconds


async def _handed_on(api: Api, leader: Operator) -> None:
    while (await _holder(api)).endswith(f"-{leader.process.pid}"):
        await asyncio.sleep(0.02)


async def _holder(api: Api) -> str:
    """Who leads; "" : nobody."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{names.OPERATOR_NAME}"
    holder: str | None = (await api.call("GET", path))["spec"].get("holderIdentity")
    return holder or ""
