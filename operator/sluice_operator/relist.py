"""A periodic list of everything by the operator's own client: it fills the mirror first, and corrects it later.

A watch may be dead in silence, and kopf does not tell of what was deleted while it was cut off: a list finds both.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from sluice_operator.cluster_error import ClusterError
from sluice_operator.mirror import Mirror
from sluice_operator.sources import Source

INTERVAL = 300.0
"""Seconds between two lists."""
SETTLE = 15.0
"""Seconds after the first list until the second: what went before the watches stood is found then."""
RETRY = 5.0
"""Seconds until a failed list is tried again."""
BURST = 5.0
"""Seconds within which the events of one list of a watch come."""
PATIENCE = 90.0
"""Seconds that a watch has to tell what a list found first; after them it is dead."""

log = logging.getLogger(__name__)


class Lister(Protocol):
    """The part of a cluster that lists."""

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """All objects of a kind, of one namespace or of all, that have these labels. Raises ClusterError."""
        ...


class Relist:
    """Keeps the mirror true. `changed` gets namespaces that must be looked at again."""

    def __init__(
        self,
        mirror: Mirror,
        lister: Lister,
        sources: Iterable[Source],
        namespaces: Sequence[str],
        changed: Callable[[frozenset[str]], None],
        *,
        interval: float = INTERVAL,
        restarted: Callable[[Source], None] = lambda _: None,
        missed: Callable[[Source, int], None] = lambda _source, _count: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`namespaces` empty: all. `restarted` hears of watches that began anew, `missed` of what they did not tell."""
        self._mirror, self._lister, self._changed, self._clock = mirror, lister, changed, clock
        self._interval, self._restarted, self._missed = interval, restarted, missed
        self._scopes = tuple((source, scope) for source in sources for scope in (namespaces or (None,)))
        self._heard: dict[Source, float] = {}
        self._lists: dict[Source, float] = {}
        self._owed: dict[Source, float] = {}
        self._wanted, self._one = asyncio.Event(), asyncio.Lock()
        self.filled = asyncio.Event()
        """Set once everything was listed."""
        mirror.expect(self._scopes)

    def heard(self, source: Source, event_type: str | None) -> None:
        """Notes that a watch told something, before it is put into the mirror."""
        now = self._clock()
        if event_type is None:
            before = self._lists.get(source)
            self._lists[source] = now
            if before is not None and now - before > BURST:
                self._restarted(source)
                self._wanted.set()
        self._heard[source] = now
        self._owed.pop(source, None)

    def dead(self) -> tuple[Source, ...]:
        """Watches that should have told what a list found, and did not."""
        now = self._clock()
        return tuple(source for source, since in self._owed.items() if now - since > PATIENCE)

    async def run(self) -> None:
        """Lists again and again; earlier than the interval where a watch began anew. Ends by cancellation alone."""
        pause = min(SETTLE, self._interval)
        while True:
            complete = await self.once()
            if complete:
                self.filled.set()
            await self._rest(pause if complete else RETRY)
            if complete:
                pause = self._interval

    async def _rest(self, seconds: float) -> None:
        """Until a watch begins anew, and has had the time to tell what it lists, or for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
                await asyncio.sleep(BURST)
        self._wanted.clear()

    async def complete(self) -> None:
        """Lists until every source was listed: after it the mirror holds all that was written before."""
        while True:
            if await self.once():
                return
            await asyncio.sleep(RETRY)

    async def once(self) -> bool:
        """Lists every source once; False where one could not be listed."""
        async with self._one:
            return await self._once()

    async def _once(self) -> bool:
        complete = True
        for source, namespace in self._scopes:
            since = self._mirror.mark()
            try:
                objects = [
                    {**body, "apiVersion": source.api_version, "kind": source.kind}
                    for labels in source.picks
                    for body in await self._lister.list(source.api_version, source.kind, namespace, labels)
                ]
            except ClusterError as failed:
                log.warning("%s cannot be listed; it is tried again in %d s: %s", source, RETRY, failed)
                complete = False
                if failed.away:
                    break
                continue
            known = self._mirror.ready
            concerned, corrected = self._mirror.replace(source, namespace, objects, since)
            if corrected:
                self._owed.setdefault(source, self._clock())
            if corrected and known:
                log.info("a list found %d changes of %s before the watch told of them", len(corrected), source)
                self._missed(source, len(corrected))
            if concerned:
                self._changed(concerned)
        return complete
