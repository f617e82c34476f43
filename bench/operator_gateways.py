"""Real gateways beside a real operator: the processes that a cluster's pods run, with their mounts, tokens and rights.

Reports pass through a tap on their way to the operator: that is how a benchmark learns, without asking, when a gateway
serves a Config.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
from aiohttp import web

from bench.operator_api import Api, BenchError, gateway_pod
from bench.processes import free_port
from sluice_operator import names

BATCH = 4
"""Gateways that start at a time."""
PATIENCE = 120.0


class Tap:
    """Takes reports, notes when which gateway said what, and passes them on to the operator as they are."""

    def __init__(self, operator_port: int) -> None:
        self.port = free_port()
        self.operator_port = operator_port
        """Of the replica that leads."""
        self._senders: dict[str, str] = {}
        self._news = asyncio.Event()
        self.digests: dict[str, tuple[str, float]] = {}
        """Gateway -> the digest that it serves, and when it first said so."""

    def know(self, token: str, name: str) -> None:
        """Whose token it is."""
        self._senders[f"Bearer {token}"] = name

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Tap"]:
        """Listens for the length of the block."""
        app = web.Application()
        app.router.add_post("/v1/reports", self._report)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as self._session:
                yield self
        finally:
            await runner.cleanup()

    async def all_serve(self, gateways: Sequence[str], other_than: str = "") -> dict[str, float]:
        """Waits until all serve one same Config, `other_than` that digest; gives when each said so first."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._news.clear()
                told = {name: self.digests.get(name, ("", 0.0)) for name in gateways}
                digests = {digest for digest, _ in told.values()}
                if len(digests) == 1 and not digests & {"", other_than}:
                    return {name: at for name, (_, at) in told.items()}
                await self._news.wait()

    async def _report(self, request: web.Request) -> web.Response:
        body, at = await request.read(), time.perf_counter()
        sender = self._senders[request.headers["authorization"]]
        digest = orjson.loads(body)["digest"]
        if self.digests.get(sender, ("", 0.0))[0] != digest:
            self.digests[sender] = (digest, at)
            self._news.set()
        headers = {"authorization": request.headers["authorization"], "content-type": "application/json"}
        try:
            to = f"https://127.0.0.1:{self.operator_port}/v1/reports"
            async with self._session.post(to, data=body, headers=headers) as response:
                return web.Response(status=response.status, body=await response.read())
        except aiohttp.ClientError:
            return web.Response(status=503)


@dataclass
class Gateway:
    """One gateway process."""

    name: str
    role: str
    folder: Path
    url: str = ""
    """Of its data port, once it listens."""


@dataclass(frozen=True)
class Fleet:
    """A namespace's shared gateway and its sidecars."""

    shared: Gateway
    sidecars: tuple[Gateway, ...]


@asynccontextmanager
async def fleet(api: Api, namespace: str, folder: Path, tap: Tap, count: int) -> AsyncIterator[Fleet]:
    """The shared gateway and `count` sidecars, all serving what is published; stopped at the end."""
    await _published(api, namespace)
    shared = await _mounted(api, namespace, folder, tap, "shared", "shared")
    sidecars = tuple([await _mounted(api, namespace, folder, tap, f"app-{n}", "sidecar") for n in range(count)])
    async with AsyncExitStack() as stack:
        await _start(api, namespace, shared, "", stack)
        left = iter(sidecars)

        async def some() -> None:
            for gateway in left:
                await _start(api, namespace, gateway, shared.url, stack)

        async with asyncio.TaskGroup() as group:
            for _ in range(BATCH):
                group.create_task(some())
        await tap.all_serve([gateway.name for gateway in (shared, *sidecars)])
        yield Fleet(shared, sidecars)


async def _published(api: Api, namespace: str) -> None:
    """Until the operator made what gateways need."""
    for kind, name in (("configmaps", names.ENDPOINTS_MAP), ("serviceaccounts", names.GATEWAY_NAME)):
        path = f"/api/v1/namespaces/{namespace}/{kind}"
        async with asyncio.timeout(PATIENCE):
            while not any(item["metadata"]["name"] == name for item in await api.items(path)):
                await asyncio.sleep(0.1)


async def _mounted(api: Api, namespace: str, folder: Path, tap: Tap, name: str, role: str) -> Gateway:
    """A pod, and what is mounted into its gateway."""
    account = names.GATEWAY_NAME if role == "shared" else "default"
    manifest = dict(gateway_pod(namespace, name, role))
    manifest["spec"] = {**manifest["spec"], "serviceAccountName": account}
    made = await api.running(manifest)
    token = await api.bound_token(namespace, made)
    tap.know(token, name)
    root = await api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt")
    files = {
        "api/ca.crt": root["data"]["ca.crt"],
        "api/token": await api.account_token(namespace, account),
        "operator/token": token,
    }
    for path, content in files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return Gateway(name, role, folder / name)


async def _start(api: Api, namespace: str, gateway: Gateway, relay: str, stack: AsyncExitStack) -> None:
    with (gateway.folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_sidecar.main", "--cluster", gateway.role, "--namespace", namespace),
            *("--run", str(gateway.folder), "--port", "0", "--admin-port", "0"),
            *("--allow-loopback", "--report", *(("--relay", relay) if relay else ())),
            env={
                **os.environ,
                "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                "KUBERNETES_SERVICE_PORT": str(api.layout.port),
                "POD_SERVICE_ACCOUNT": "default",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    stack.push_async_callback(_stop, process)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        line = (await process.stdout.readline()).decode()
    ready = re.match(r"READY (\S+) (\d+)", line)
    if not ready:
        raise BenchError(f"{gateway.name} did not start:\n{(gateway.folder / 'log').read_text()[-2000:]}")
    gateway.url = f"http://{ready[1]}:{ready[2]}"


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
