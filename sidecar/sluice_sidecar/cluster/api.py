"""The API server, as little of it as a gateway needs: one object got, one object followed."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from random import random
from typing import Any
from urllib.parse import quote

import orjson

from sluice_sidecar.credentials import stamp
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.request import Origin, Timeouts

Found = Mapping[str, Any]
"""An object as plain JSON data."""

ANYWHERE = ("0.0.0.0/0", "::/0")
"""The guard's leave for addresses that come from the cluster and not from a user."""

QUICK = Timeouts(connect=5.0, first_byte=10.0, total=30.0)
WATCH_SECONDS = 290
"""How long one watch lasts; the API server ends it."""
WATCH = Timeouts(connect=5.0, first_byte=10.0, total=WATCH_SECONDS + 30.0)
IDLE = 100.0
"""Seconds without a word (the API server bookmarks each minute) after which a watch is taken for dead."""
OBJECT_BYTES = 16_777_216
"""Largest object, bytes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Bounds of the pause before another try, seconds."""
SHORT = 0.5
"""A watch that ends sooner than this many seconds counts as failed."""


class ApiError(Exception):
    """What the API server answered instead of what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """HTTPS with a bearer token file, read again for each call; its CA file is read again when it changed."""

    def __init__(self, host: str, port: int, token: Path, ca: Path) -> None:
        self._origin = Origin("https", host, port)
        self._token, self._ca = token, ca
        self._seen: object = None
        self._client: Client | None = None

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON at `path`, which may have a query. Raises ApiError, UpstreamError, and OSError for its files."""
        response = await (await self._ready()).send(self._origin, b"GET", path.encode(), self._headers(), b"", QUICK)
        try:
            body = await response.read(OBJECT_BYTES)
        finally:
            response.abort()
        found = _parsed(body)
        if response.status != 200:
            raise ApiError(response.status, str(found.get("message", "")))
        return found

    async def follow(
        self, path: str, name: str, tell: Callable[[Found | None], None], away: Callable[[Exception], None]
    ) -> None:
        """Tells the object `name` of the collection `path` now and at every change, None where there is none; for ever.

        `away` is told of every try that failed; the next comes after a growing, jittered pause.
        """
        failures = 0
        while True:
            try:
                version, found = await self._list(path, name)
                tell(found)
                failures = 0
                await self._watch(path, name, version, tell)
            except (ApiError, UpstreamError, OSError, ValueError) as problem:
                failures += 1
                if not (isinstance(problem, ApiError) and problem.status == 410):  # 410: too far behind, list again
                    away(problem)
            await asyncio.sleep(pause(failures))

    async def close(self) -> None:
        """Ends every call."""
        if self._client is not None:
            await self._client.close()

    async def _list(self, path: str, name: str) -> tuple[str, Found | None]:
        found = await self.get(f"{path}?fieldSelector=metadata.name%3D{quote(name)}")
        items = found.get("items") or [None]
        return found["metadata"]["resourceVersion"], items[0]

    async def _watch(self, path: str, name: str, version: str, tell: Callable[[Found | None], None]) -> None:
        """Watch after watch, each from where the last one ended; ends by an exception."""
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            async for event in self._events(path, name, version):
                kind, found = event.get("type"), event.get("object", {})
                if kind == "ERROR":
                    raise ApiError(found.get("code", 500), str(found.get("message", "")))
                version = found["metadata"]["resourceVersion"]
                if kind in ("ADDED", "MODIFIED"):
                    tell(found)
                elif kind == "DELETED":
                    tell(None)
            if clock() - began < SHORT:
                raise ApiError(503, "the watch ended at once")

    async def _events(self, path: str, name: str, version: str) -> AsyncIterator[dict[str, Any]]:
        query = (
            f"?fieldSelector=metadata.name%3D{quote(name)}&watch=true&allowWatchBookmarks=true"
            f"&resourceVersion={quote(version)}&timeoutSeconds={WATCH_SECONDS}"
        )
        response = await (await self._ready()).send(
            self._origin, b"GET", (path + query).encode(), self._headers(), b"", WATCH
        )
        try:
            if response.status != 200:
                raise ApiError(response.status, str(_parsed(await response.read(OBJECT_BYTES)).get("message", "")))
            rest = bytearray()
            while True:
                try:
                    async with asyncio.timeout(IDLE):
                        chunk = await anext(response)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise ApiError(504, f"the watch was silent for {IDLE:g} s") from None
                rest += chunk
                if b"\n" not in chunk:
                    if len(rest) > OBJECT_BYTES:
                        raise ApiError(500, "an event without end")
                    continue
                *lines, tail = rest.split(b"\n")
                rest = tail
                for line in lines:
                    yield _parsed(line)
        finally:
            response.abort()

    async def _ready(self) -> Client:
        seen = stamp(self._ca)
        if self._client is None or seen != self._seen:
            context = ssl.create_default_context(cafile=str(self._ca))
            context.set_alpn_protocols(["http/1.1"])
            old, self._client = self._client, Client(Guard(ANYWHERE), ssl_context=context)
            self._seen = seen
            if old is not None:
                await old.close()
        return self._client

    def _headers(self) -> list[tuple[bytes, bytes]]:
        token = self._token.read_bytes().strip()
        return [(b"authorization", b"Bearer " + token), (b"accept", b"application/json, */*;q=0.5")]


def pause(failures: int) -> float:
    """Seconds before the try that follows `failures` in a row: doubling, with jitter, so that not all come at once."""
    longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 16))
    return longest * (0.5 + random() / 2)  # noqa: S311  (no secret)


def _parsed(body: bytes | bytearray) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError(502, "something that is not JSON") from None
    if not isinstance(found, dict):
        raise ApiError(502, "something that is not an object")
    return found
