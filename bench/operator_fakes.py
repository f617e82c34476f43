"""Gateways that serve nothing and speak the report protocol: pods, their tokens, and a report for each new Config."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any

import aiohttp
import orjson

from bench.operator_api import Api, gateway_pod
from sluice_operator import names
from sluice_sidecar.config import CAPABILITIES, SCHEMA
from sluice_sidecar.version import __version__

AGAIN = 0.5
"""Seconds until a report that was not taken is sent again."""


class Fakes:
    """One shared gateway in each namespace, which adopts what is published as soon as it hears of it."""

    def __init__(self, api: Api, port: int) -> None:
        """`port`: where the operator takes reports."""
        self._api, self._url = api, f"https://127.0.0.1:{port}/v1/reports"
        self._tokens: dict[str, str] = {}
        self._said: dict[str, bytes] = {}
        self._wanted: dict[str, asyncio.Event] = {}
        self.sent = 0
        """Reports that were taken."""

    async def prepare(self, namespaces: Iterable[str]) -> None:
        """Makes their pods and takes their tokens."""
        left = iter(namespaces)

        async def some() -> None:
            for namespace in left:
                pod = await self._api.running(gateway_pod(namespace, "fake", "shared"))
                self._tokens[namespace] = await self._api.bound_token(namespace, pod)

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(some())

    async def run(self) -> None:
        """Reports until it is cancelled: each Config once, and every 30 s as the operator asks."""
        connector = aiohttp.TCPConnector(ssl=False, limit=8)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            for namespace in self._tokens:
                self._wanted[namespace] = asyncio.Event()
                group.create_task(self._report(namespace, session))
            selector = f"labelSelector={names.MANAGED_BY}%3D{names.MANAGED}"
            async for event, found in self._api.watch("/api/v1/configmaps", selector):
                namespace = found["metadata"]["namespace"]
                if event != "DELETED" and found["metadata"]["name"] == names.CONFIG_MAP and namespace in self._wanted:
                    self._said[namespace] = body(found["data"][names.CONFIG_KEY])
                    self._wanted[namespace].set()

    async def _report(self, namespace: str, session: aiohttp.ClientSession) -> None:
        headers = {"authorization": f"Bearer {self._tokens[namespace]}", "content-type": "application/json"}
        wanted = self._wanted[namespace]
        await wanted.wait()
        while True:
            wanted.clear()
            interval = AGAIN
            # An operator that does not listen yet, or does not lead yet, is told again.
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.post(self._url, data=self._said[namespace], headers=headers) as response:
                    if response.status == 200:
                        interval = float((await response.json())["interval"])
                        self.sent += 1
            try:
                async with asyncio.timeout(interval):
                    await wanted.wait()
            except TimeoutError:
                continue


def body(config: str) -> bytes:
    """The report of a gateway that serves all of this Config."""
    read: dict[str, Any] = orjson.loads(config)
    return orjson.dumps(
        {
            "version": __version__,
            "schemas": [SCHEMA],
            "capabilities": sorted(CAPABILITIES),
            "role": "shared",
            "started": time.time(),
            "digest": read["digest"],
            "routes": {name: route["digest"] for name, route in read["routes"].items()},
        }
    )
