"""What tests put into the queue of deferred requests, and how they wait for it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, Entry
from sluice_sidecar.config import BatchWindow, Config, Window

T = TypeVar("T")


def line(custom_id: str, said: str = "Hello", *, model: str = "auto", **more: Any) -> dict[str, Any]:
    """A line of a chat batch's input."""
    body = {"model": model, "messages": [{"role": "user", "content": said}]}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body, **more}


def jsonl(lines: Iterable[Any]) -> bytes:
    """Lines of a file; texts go in as they are."""
    return b"".join((one.encode() if isinstance(one, str) else orjson.dumps(one)) + b"\n" for one in lines)


def closed_window(*routes: str, hours: int = 6, **more: Any) -> BatchWindow:
    """A window that opens in this many hours, for one hour."""
    starts = datetime.now(UTC) + timedelta(hours=hours)
    ends = starts + timedelta(hours=1)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    window = Window(days=days, start=starts.strftime("%H:%M"), end=ends.strftime("%H:%M"))
    return BatchWindow(name="night", windows=(window,), routes=routes, **more)


def with_windows(served: Config, *windows: BatchWindow) -> Config:
    """The Config with these windows."""
    return served.model_copy(update={"windows": {one.name: one for one in windows}}).sealed()


def batch(id_: str = "batch_1", tenant: str = "default", **more: Any) -> Batch:
    """A chat batch that came in at 1,000 s."""
    fields: dict[str, Any] = {
        "seq": 0, "id": id_, "tenant": tenant, "kind": "openai", "path": "/v1/chat/completions", "input": "file-1",
        "status": "validating", "created": 1_000.0, "expires": 90_000.0, "urgency": 3, "note": {},
    }  # fmt: skip
    return Batch(**fields | more)


def entries(count: int, *, route: str = "main", prefix: Callable[[int], bytes] = lambda _: b"") -> list[Entry]:
    """Requests of a batch."""
    return [Entry(at, f"c{at}", at * 10, 10, route, prefix(at)) for at in range(count)]


async def opened(folder: Path, **more: Any) -> Queue:
    """A queue, open."""
    queue = Queue(folder, **more)
    await queue.open()
    return queue


async def until(look: Callable[[], Awaitable[T]], good: Callable[[T], bool], seconds: float = 30.0) -> T:
    """What `look` finds once it is `good`."""
    async with asyncio.timeout(seconds):
        while not good(found := await look()):
            await asyncio.sleep(0.02)
    return found
