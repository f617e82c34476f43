"""How far a batch or a deferred request is, as server-sent events: `GET …/events`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson

from sluice_sidecar.batch.notifier import Notifier
from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.records import Batch, Sight, State
from sluice_sidecar.batch.request import Request
from sluice_sidecar.wire import EVENT_STREAM, Receive

KEEP_ALIVE = 15.0
"""Seconds without news after which a comment shows that the connection is good."""
AGAIN_MS = 2_000
"""After how many milliseconds a browser whose stream broke off asks again."""


async def events(request: Request, batch: Batch, notifier: Notifier, outlook: Outlook) -> None:
    """Streams `progress` at each change and `done` at the end; ends at once when the caller leaves. Raises
    Problem(429) where too many watch."""
    async with aclosing(notifier.watch(batch.seq)) as sights:
        first = await anext(sights, None)  # what it raises is raised before the head is out
        headers = [EVENT_STREAM, (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
        await request.send({"type": "http.response.start", "status": 200, "headers": headers})
        telling = asyncio.ensure_future(_tell(request, first, sights, outlook))
        leaving = asyncio.ensure_future(_left(request.receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)


async def _tell(request: Request, sight: Sight | None, sights: AsyncGenerator[Sight], outlook: Outlook) -> None:
    async def send(body: bytes, *, more: bool = True) -> None:
        await request.send({"type": "http.response.body", "body": body, "more_body": more})

    await send(b"retry: %d\n\n" % AGAIN_MS)
    while sight is not None:
        name = b"done" if sight.batch.ended is not None else b"progress"
        await send(b"event: %s\ndata: %s\n\n" % (name, orjson.dumps(shown(sight, outlook))))
        coming = asyncio.ensure_future(anext(sights, None))
        try:
            while not (await asyncio.wait({coming}, timeout=KEEP_ALIVE))[0]:
                await send(b": waiting\n\n")
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
        sight = coming.result()
    await send(b"", more=False)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def shown(sight: Sight, outlook: Outlook) -> dict[str, Any]:
    """What is told of a batch: how many of its requests are done, how many go before it, when it may be done."""
    batch, place = sight.batch, sight.place
    done = batch.completed + batch.failed + batch.cancelled + batch.expired
    status: str = batch.status
    if batch.kind == "single" and status in ("in_progress", "validating"):
        status = "running" if place is not None and place[0] == State.RUNNING else "queued"
    elif batch.kind == "single" and batch.failed:
        status = "failed"
    told: dict[str, Any] = {
        "id": batch.id, "object": "progress", "status": status,
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
    }  # fmt: skip
    if place is None or (batch.kind == "single" and place[0] == State.RUNNING):
        return told
    _, route, ahead = place
    told |= {"position": ahead + 1, "estimated_seconds": outlook.seconds(route, ahead + max(batch.total - done - 1, 0))}
    return told | outlook.window(route)
