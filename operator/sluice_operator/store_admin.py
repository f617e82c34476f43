"""Tells managed stores what they are to hold: collections of Qdrant, users of Redis. Level-triggered.

It works beside the queue of namespaces, so that no server makes a namespace wait, and wakes a namespace when what it
found there changed.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Literal

import aiohttp

from sluice_operator.plan.plan import Duty, QdrantDuty, RedisDuty
from sluice_operator.plan.seen import Snapshots
from sluice_operator.qdrant_admin import QdrantAdmin
from sluice_operator.queue import Backoff, WorkQueue
from sluice_operator.redis_admin import keep_redis
from sluice_operator.store_places import Places
from sluice_operator.store_refusal import StoreRefusal

EVERY = 300.0
"""Seconds between two looks at a server of which nothing was heard."""
SOON = 15.0
"""Seconds until the next look where a gateway complains, or a pod waits for its new file of users."""
GRACE = 86_400.0
"""Seconds for which a collection is kept that no policy uses any more."""
WORKERS = 4
"""Servers that are told something at a time."""

log = logging.getLogger(__name__)

Server = tuple[str, Literal["redis", "qdrant"]]
"""Namespace and type: there is one of each in a namespace."""


class StoreAdmin:
    """`want` says what is to be, `run` makes it so; `problems` and `snapshots` are what was found last."""

    def __init__(
        self,
        wake: Callable[[str], None],
        places: Places,
        *,
        every: float = EVERY,
        grace: float = GRACE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wake` wants a namespace looked at; `clock` tells steady seconds."""
        self._wake, self._places, self._every, self._grace, self._clock = wake, places, every, grace, clock
        self._duties: dict[Server, Duty] = {}
        self._problems: dict[Server, str] = {}
        self._snapshots: dict[str, Snapshots] = {}
        self._unused: dict[tuple[str, str], float] = {}
        self._session: aiohttp.ClientSession | None = None
        again = Backoff(first=1.0, most=min(60.0, every))
        self._queue: WorkQueue[Server] = WorkQueue(self._work, workers=WORKERS, backoff=again, on_failure=self._failed)

    def want(self, namespace: str, duties: Sequence[Duty]) -> None:
        """Takes all that the namespace's servers are to hold; a server that is not named is left alone."""
        wanted: dict[Server, Duty] = {(namespace, _type(duty)): duty for duty in duties}
        for type_ in ("redis", "qdrant"):
            server: Server = (namespace, type_)
            duty = wanted.get(server)
            if duty is None:
                self._duties.pop(server, None)
                self._problems.pop(server, None)
            elif self._duties.get(server) != duty:
                self._duties[server] = duty
                self._queue.add(server)

    def problems(self, namespace: str) -> Mapping[str, str]:
        """Type of store -> why it could not be told; missing: it was, or was not asked yet."""
        return {type_: why for (of, type_), why in self._problems.items() if of == namespace}

    def snapshots(self, namespace: str) -> Snapshots | None:
        """What became of the snapshots that were wanted last."""
        return self._snapshots.get(namespace)

    async def run(self) -> None:
        """Works until it is cancelled. To be run once at a time."""
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
            await self._queue.run()

    async def _work(self, server: Server) -> float | None:
        """Seconds until the next look. Raises StoreRefusal, after it was noted."""
        duty = self._duties.get(server)
        if duty is None:
            return None
        if isinstance(duty, RedisDuty):
            settled = await keep_redis(duty, self._places)
        else:
            settled = True
            await self._qdrant(server[0], duty)
        self._note(server, duty, "")
        return self._every if settled and not duty.doubted else min(SOON, self._every)

    async def _qdrant(self, namespace: str, duty: QdrantDuty) -> None:
        assert self._session is not None  # the queue runs within `run`
        admin = QdrantAdmin(duty, self._session, self._places)
        await admin.keep()
        await self._tidy(namespace, duty, admin)
        if not duty.save_before:
            self._snapshots.pop(namespace, None)
        elif self._snapshots.get(namespace) != Snapshots(duty.save_before):
            try:
                await admin.save()
            except StoreRefusal as refused:
                # No failure of the rest: it is used as it is, and what is in it is saved at one of the next looks.
                self._saved(namespace, Snapshots(duty.save_before, str(refused)))
            else:
                self._saved(namespace, Snapshots(duty.save_before))

    async def _tidy(self, namespace: str, duty: QdrantDuty, admin: QdrantAdmin) -> None:
        """Drops collections that have not been wanted for so long: an older embedder's, whose entries nobody finds."""
        unused = await admin.ours() - set(duty.collections)
        for key in [key for key in self._unused if key[0] == namespace and key[1] not in unused]:
            del self._unused[key]
        for name in sorted(unused):
            if self._clock() - self._unused.setdefault((namespace, name), self._clock()) >= self._grace:
                await admin.drop(name)

    def _saved(self, namespace: str, found: Snapshots) -> None:
        if self._snapshots.get(namespace) != found:
            self._snapshots[namespace] = found
            self._wake(namespace)

    def _failed(self, server: Server, error: Exception, wait: float) -> None:
        unknown = None if isinstance(error, StoreRefusal) else error
        log.warning("namespace %s: %s: %s; again in %.1f s", *server, error, wait, exc_info=unknown)
        duty = self._duties.get(server)
        if duty is not None:
            self._note(server, duty, str(error) or type(error).__name__)

    def _note(self, server: Server, duty: Duty, problem: str) -> None:
        """Keeps what was found, unless something else is wanted by now."""
        if self._duties.get(server) != duty or self._problems.get(server, "") == problem:
            return
        if problem:
            self._problems[server] = problem
        else:
            del self._problems[server]
        self._wake(server[0])


def _type(duty: Duty) -> Literal["redis", "qdrant"]:
    return "redis" if isinstance(duty, RedisDuty) else "qdrant"
