"""A model that says by which configuration it was asked, and callers who hold each answer against it."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bench.operator_gateways import Gateway
from bench.processes import free_port


@asynccontextmanager
async def model() -> AsyncIterator[str]:
    """Answers at once with the version in the path, the one in the model's name, and the key; gives its host:port."""

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        path, name = re.search(r"/v(\d+)/", request.path), re.search(r"(\d+)$", asked["model"])
        said = {
            "path": int(path[1]) if path else -1,
            "model": int(name[1]) if name else -1,
            "key": request.headers.get("authorization", "").removeprefix("Bearer "),
        }
        message = {"role": "assistant", "content": json.dumps(said)}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return web.json_response(
            {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": usage}
        )

    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    runner, port = web.AppRunner(app, access_log=None), free_port()
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@dataclass
class Tally:
    """What callers saw."""

    requests: int = 0
    failed: int = 0
    mixed: int = 0
    """Answers made by parts of two configurations."""
    went_back: int = 0
    """Answers by an older configuration than the same gateway answered with before."""
    first_failures: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        """Counts a failure, and keeps what the first ones were."""
        self.failed += 1
        if len(self.first_failures) < 5:
            self.first_failures.append(what[:300])

    def plain(self) -> dict[str, Any]:
        """As figures."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "mixed": self.mixed,
            "went_back": self.went_back,
            **({"first_failures": "; ".join(self.first_failures)} if self.first_failures else {}),
        }


class Callers:
    """One caller on each gateway, who asks for each model in turn, every `pause` seconds."""

    def __init__(self, gateways: Sequence[Gateway], models: Sequence[str], pause: float) -> None:
        self._gateways, self._models, self._pause = gateways, models, pause
        self.tally = Tally()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Tally]:
        """Calls for the length of the block; calls under way at its end are let end."""
        stop = asyncio.Event()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            tasks = [
                asyncio.create_task(self._call(session, gateway, number, stop))
                for number, gateway in enumerate(self._gateways)
            ]
            try:
                yield self.tally
            finally:
                stop.set()
                await asyncio.gather(*tasks)

    async def _call(self, session: aiohttp.ClientSession, gateway: Gateway, number: int, stop: asyncio.Event) -> None:
        newest: dict[str, tuple[int, str]] = {}
        # spread over the pause, so that they do not come at once
        await asyncio.sleep(self._pause * number / len(self._gateways))
        while not stop.is_set():
            for name in self._models:
                began = time.perf_counter()
                await self._ask(session, gateway, name, newest)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, self._pause - (time.perf_counter() - began))):
                        await stop.wait()

    async def _ask(
        self, session: aiohttp.ClientSession, gateway: Gateway, name: str, newest: dict[str, tuple[int, str]]
    ) -> None:
        ask = {"model": name, "messages": [{"role": "user", "content": "Hello"}]}
        self.tally.requests += 1
        try:
            async with session.post(f"{gateway.url}/v1/chat/completions", json=ask) as response:
                text = await response.text()
                if response.status != 200:
                    self.tally.fail(f"{gateway.name}: {response.status} {text}")
                    return
        except aiohttp.ClientError as problem:
            self.tally.fail(f"{gateway.name}: {problem!r}")
            return
        said = json.loads(json.loads(text)["choices"][0]["message"]["content"])
        self.tally.mixed += said["path"] != said["model"]
        version = (said["path"], said["key"])
        self.tally.went_back += version < newest.get(name, version)
        newest[name] = version
