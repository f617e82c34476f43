"""One look for all who watch: how far batches are, read once and told to everyone who follows them."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.ending import ended
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Sight

EVERY = 0.5
"""Seconds between looks, however many watch."""
SHARE = 0.1
"""Most of the time that looking takes: where a look is slow, as behind a long queue, it is taken more rarely."""
MOST = 1_000
"""Watchers of one process."""

log = logging.getLogger("sluice.batch")


@dataclass(slots=True)
class _Watched:
    sight: Sight | None = None
    gone: bool = False
    watchers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Notifier:
    """Watches a queue as long as somebody wants to know; for one event loop."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._watched: dict[int, _Watched] = {}
        self._watchers = 0
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """Ends every watch, and takes no more."""
        self._closed = True
        for one in self._watched.values():
            one.told()

    async def stop(self) -> None:
        """The same, and waits for the look that is under way."""
        self.close()
        await ended(self._looking)

    @property
    def closed(self) -> bool:
        """Whether the gateway stops."""
        return self._closed

    async def moved(self, seq: int, seconds: float) -> None:
        """Returns when a batch has ended, one of its requests has in this process, the time is over, or the gateway
        stops. Raises Problem(429) where too many watch."""
        here = asyncio.ensure_future(self._queue.moved(seq, seconds))
        anywhere = asyncio.ensure_future(self._ended(seq))
        try:
            await asyncio.wait({here, anywhere}, return_when=asyncio.FIRST_COMPLETED)
            if anywhere.done():
                anywhere.result()
        finally:
            here.cancel()
            anywhere.cancel()
            await asyncio.gather(here, anywhere, return_exceptions=True)

    async def _ended(self, seq: int) -> None:
        async with aclosing(self.watch(seq)) as sights:
            async for _ in sights:
                continue

    async def watch(self, seq: int) -> AsyncGenerator[Sight]:
        """A batch now and after each change, until it has ended, is forgotten, or the gateway stops. Raises
        Problem(429) where too many watch."""
        if self._watchers >= MOST:
            message = f"{MOST} callers follow batches here already: ask for the status instead, or try again later."
            raise Problem(429, "too_many_watchers", message, retry_after=10)
        watched = self._watched.setdefault(seq, _Watched())
        watched.watchers += 1
        self._watchers += 1
        try:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.get_running_loop().create_task(self._look(), name="batch-notifier")
            last: Sight | None = None
            while not (self._closed or watched.gone):
                sight, changed = watched.sight, watched.changed
                if sight is not None and sight != last:
                    last = sight
                    yield sight
                    if sight.batch.ended is not None:
                        return
                else:
                    await changed.wait()
        finally:
            watched.watchers -= 1
            self._watchers -= 1
            if not watched.watchers:
                del self._watched[seq]

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        store, version = self._queue.store, None
        while self._watched and not self._closed:
            began = loop.time()
            try:
                if store is not self._queue.store or any(one.sight is None for one in self._watched.values()):
                    store, version = self._queue.store, None
                seen = await store.seen(list(self._watched), version)
            except Problem as problem:
                log.warning("who follows batches is told later: %s", problem.message)
            else:
                version = version if seen is None else seen.version
                for seq, sight in () if seen is None else seen.sights.items():
                    watched = self._watched.get(seq)
                    if watched is not None and sight != watched.sight:
                        watched.sight = sight
                        watched.told()
                    elif watched is not None and sight is None:
                        watched.gone = True
                        watched.told()
            await asyncio.sleep(max(EVERY, (loop.time() - began) / SHARE))
