"""Deferred requests in one gateway process: its endpoints, and, in one process of several, what runs them."""

import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import announcer, batches, deferred, figures, files, lines, message_batches
from sluice_sidecar.batch.announcer import Announcer
from sluice_sidecar.batch.execute import Outcome, execute
from sluice_sidecar.batch.gate import Engines, Gates, Pool
from sluice_sidecar.batch.hooks import HookBook
from sluice_sidecar.batch.lifecycle import Lifecycle
from sluice_sidecar.batch.notifier import Notifier
from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.overview import overview
from sluice_sidecar.batch.progress import events
from sluice_sidecar.batch.queue import Limits, Queue
from sluice_sidecar.batch.records import Kind, Result, Task
from sluice_sidecar.batch.request import Answer, Request
from sluice_sidecar.batch.stores.sharing import StoreSharing, lacking
from sluice_sidecar.batch.worker import Worker
from sluice_sidecar.callers import Key
from sluice_sidecar.config import Config, Route
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.exchange import Parts
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.wire import JSON, CallerLeft, Receive, Scope, Send, send_whole

PATHS = (files.PATH, batches.PATH, message_batches.PATH, deferred.PATH, announcer.PATH)
WATCHED: dict[str, Kind] = {batches.PATH: "openai", message_batches.PATH: "anthropic", deferred.PATH: "single"}
"""Where progress can be followed, by `GET …/events`."""

log = logging.getLogger("sluice.batch")


class Served(Parts, Protocol):
    """What of the gateway deferred requests run with."""

    @property
    def asking(self) -> int:
        """Callers who wait for an answer now."""


def serves(path: str) -> bool:
    """Whether a path is one of the batch endpoints'."""
    return any(path == one or path.startswith(one + "/") for one in PATHS)


class Batches:
    """The queue in `folder`; None: nothing durable is there. `sharing`: has the store that the queue lies in instead,
    as each Config says; the folder then keeps files alone. `works`: whether this process runs what waits.
    `credentials` have the keys that sign webhooks; `loopback` lets them go to this machine; `bundle`: see `reach`.

    Without a folder every endpoint says so, and `respond-async` is answered at once, as RFC 7240 lets a server do.
    """

    def __init__(
        self, parts: Served, folder: Path | None, gates: Gates, *, works: bool = True, alone: bool = True,
        limits: Limits | None = None, credentials: SecretSource | None = None, loopback: bool = False,
        bundle: Path | None = None, sharing: StoreSharing | None = None,
    ) -> None:  # fmt: skip
        self._parts, self._folder, self._limits, self._sharing = parts, folder, limits or Limits(), sharing
        self._works, self._alone = works, alone
        self._loopback, self._bundle = loopback, bundle
        self._outlook = Outlook(gates, self._pace, batches.WINDOW)
        self._trouble = "" if folder else "nothing outlives this gateway: start it with --data FOLDER"
        self._book = HookBook(credentials, loopback=loopback)
        self._engines = Engines()
        self._queue: Queue | None = None
        self._announcer: Announcer | None = None
        self._notifier: Notifier | None = None
        self._worker: Worker | None = None
        self._lifecycle: Lifecycle | None = None
        self._working = False
        if sharing is not None:
            self._trouble = "there is no configuration yet"
        elif folder is not None:
            self._equip(Queue(folder, self._limits))

    def _equip(self, queue: Queue) -> None:
        """Has everything work on this queue."""
        self._queue = queue
        self._notifier = Notifier(queue)
        self._announcer = self._announcing(queue)
        if self._works:
            self._worker = Worker(queue, self._run, self.pools, lambda: self._parts.asking, alone=self._alone)
            self._lifecycle = Lifecycle(queue, self._route)

    def _announcing(self, queue: Queue) -> Announcer:
        return Announcer(queue.store.outbox, self._book, loopback=self._loopback, bundle=self._bundle)

    @property
    def open(self) -> bool:
        """Whether requests can be put into the queue."""
        return self._queue is not None and not self._trouble

    async def start(self) -> None:
        """Opens the queue. A disk that refuses is told of, here and to whoever calls; all else is served."""
        if self._queue is None:  # or the first Config says where it is
            return
        try:
            await self._queue.open()
        except (OSError, sqlite3.Error, RuntimeError) as error:
            self._trouble = f"the queue {self._queue.folder} cannot be opened: {error}"
            log.error("batches are not served: %s", self._trouble)

    async def use(self, config: Config, guard: Guard) -> None:
        """Obeys another Config's windows and, where it is shared, has the queue where it says; `guard` is the Config's.
        From the first one on what waits is run."""
        self._outlook.use(config.windows.values())
        self._engines.use(config.routes.values(), self._outlook.pool)
        if self._sharing is not None:
            await self._share(self._sharing, config, guard)
        self._book.use(config.windows)
        if self._queue is not None and self.open:
            self._queue.wake()
            if not self._working and self._worker is not None and self._lifecycle is not None:
                self._working = True
                await self._worker.start()
                self._lifecycle.start()
            if self._working and self._announcer is not None:
                await self._announcer.use(config)

    async def _share(self, sharing: StoreSharing, config: Config, guard: Guard) -> None:
        """Has the queue where a Config says. Where it says nothing callers are told so; what was begun stays begun."""
        trouble = lacking(config)
        if trouble and trouble != self._trouble:
            log.warning("batches are not served: %s", trouble)
        self._trouble = trouble
        if config.gateway.state is None or self._folder is None:
            return
        store = sharing.use(config.gateway.state, guard)
        if self._queue is None:
            queue = Queue(self._folder, self._limits, store=store)
            await queue.open()
            self._equip(queue)
        elif self._queue.store is not store:
            self._queue.store = store
            announcer, self._announcer = self._announcer, self._announcing(self._queue)
            if announcer is not None:
                await announcer.stop()

    def leave(self) -> None:
        """Lets those go who only follow: they ask again, elsewhere or later."""
        if self._notifier is not None:
            self._notifier.close()

    def stop_accepting(self) -> None:
        """Runs no more than what runs now."""
        if self._worker is not None:
            self._worker.close()

    async def drain(self, seconds: float) -> int:
        """Waits for what runs, at most so long; how many run still, which `stop` gives back."""
        return 0 if self._worker is None else await self._worker.idle(seconds)

    async def cut(self) -> int:
        """How many run, which `stop` gives back."""
        return 0 if self._worker is None else self._worker.running

    async def stop(self) -> None:
        """Gives back what runs, and closes the queue."""
        if self._working and self._worker is not None and self._lifecycle is not None:
            await self._lifecycle.stop()
            await self._worker.stop()
        if self._notifier is not None:
            await self._notifier.stop()
        if self._announcer is not None:
            await self._announcer.stop()
        if self._queue is not None:
            await self._queue.close()
        if self._sharing is not None:
            await self._sharing.close()

    # What is asked

    async def answer(self, scope: Scope, receive: Receive, send: Send, *, tenant: str | None = None) -> None:
        """Answers at one of PATHS, errors in the shape of the wire that is spoken there. `tenant`: who asks, where
        that is known already."""
        path: str = scope["path"]
        dialect = ANTHROPIC_MESSAGES if path.startswith(message_batches.PATH) else OPENAI_CHAT
        base = next(one for one in PATHS if path == one or path.startswith(one + "/"))
        rest = [part for part in path[len(base) :].split("/") if part]
        try:
            request = self._request(scope, receive, send, tenant)
            if scope["method"] == "GET" and rest[1:] == ["events"] and base in WATCHED:
                assert self._notifier is not None  # as the queue is
                await events(
                    request, await batches.found(request, WATCHED[base], rest[0]), self._notifier, self._outlook
                )
                return
            if base == files.PATH:
                found = await files.answer(request, rest)
            elif base == batches.PATH:
                found = await batches.answer(request, rest)
            elif base == message_batches.PATH:
                found = await message_batches.answer(request, rest)
            elif base == announcer.PATH:
                assert self._announcer is not None  # as the queue is
                found = await self._announcer.answer(request, rest)
            else:
                assert self._notifier is not None  # as the queue is
                found = await deferred.answer(request, rest, self._outlook, self._notifier)
            if found is not None:
                await _send(scope, send, found)
        except CallerLeft:
            return
        except Problem as problem:
            await _refuse(send, dialect, problem)

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, tenant: str) -> None:
        """Answers what `tenant` asked: at one of PATHS, or of an endpoint with `Prefer: respond-async`."""
        dialect = BY_PATH.get(scope["path"])
        if dialect is not None and scope["method"] == "POST":
            await self.accept(dialect, scope, receive, send, tenant=tenant)
        elif serves(scope["path"]):
            await self.answer(scope, receive, send, tenant=tenant)
        else:
            problem = Problem(404, "unknown_path", f"Nothing is deferred at {scope['path'][:80]!r}.")
            await _refuse(send, OPENAI_CHAT, problem)

    async def accept(
        self, dialect: Dialect, scope: Scope, receive: Receive, send: Send, *, tenant: str | None = None
    ) -> None:
        """Takes in what a caller asked of `dialect` with `Prefer: respond-async`. `tenant`: as in `answer`."""
        try:
            request = self._request(scope, receive, send, tenant)
            await _send(scope, send, await deferred.accept(request, dialect, self._outlook.check))
        except CallerLeft:
            return
        except Problem as problem:
            await _refuse(send, dialect, problem)

    def _request(self, scope: Scope, receive: Receive, send: Send, tenant: str | None) -> Request:
        serving, headers, key = self._parts.serving, dict(scope["headers"]), None
        if tenant is None:
            caller, key = serving.callers.authenticate(headers, time.time())
            tenant = caller.tenant
        if self._folder is None:
            raise Problem(501, "batches_not_served", f"Batches are not served here: {self._trouble}.")
        if self._trouble or self._queue is None:
            raise Problem(503, "queue_unavailable", f"Batches are not served now: {self._trouble}.")
        return Request(
            self._queue, serving, tenant, key, headers, scope, receive, send, self._book, self._outlook.check
        )

    # What the admin port reads

    async def overview(self) -> Mapping[str, Any]:
        """The queue, its windows and batches under way; `reason` where there is no queue."""
        if self._queue is None or self._trouble:
            return {"reason": self._trouble, "windows": [], "batches": []}
        return {"reason": None, **await overview(self._queue, self._outlook)}

    async def webhooks(self) -> Mapping[str, Any]:
        """How many webhooks are where. Raises Problem(501) where there is no queue."""
        if self._announcer is None or self._trouble:
            raise Problem(501, "batches_not_served", f"Batches are not served here: {self._trouble}.")
        return await self._announcer.state()

    async def figures(self) -> tuple[Mapping[str, figures.Waiting], Mapping[str, figures.Settled]]:
        """By the name of a BatchWindow: what of it waits and runs in the queue, what came of it in this process."""
        settled = {} if self._worker is None else self._worker.tally.settled
        if self._queue is None or self._trouble:
            return {}, settled
        try:
            return await figures.waiting(self._queue.store, self._outlook), settled
        except Problem as problem:
            log.warning("the queue's figures are not known now: %s", problem.message)
            return {}, settled

    def answered(self, route: Route, decision: Decision) -> None:
        """Learns how long a caller waited for a route's engine: deferred requests give way where it is longer."""
        if self._worker is not None and decision.attempts:
            most = self._outlook.pool(route.name).concurrency
            self._engines.answered(
                route, decision.attempts[-1], time.monotonic(), places=most, deferred=self._worker.running > 0
            )

    def pools(self) -> Sequence[Pool]:
        """What may run now, with the places that callers leave."""
        now = time.monotonic()
        return [self._engines.within(pool, now) for pool in self._outlook.pools]

    def _pace(self, pool: str) -> float | None:
        return None if self._worker is None else self._worker.pace(pool)

    # What is run

    async def _run(self, task: Task) -> Outcome:
        assert self._queue is not None  # whose task it is
        queue = self._queue
        try:
            if task.kind == "single":
                body = await queue.store.body(task.batch)
            else:
                body = lines.request_body(queue.path(task.input), task.offset, task.length, task.kind)
        except (OSError, ValueError) as error:
            log.error("a deferred request cannot be read: %s", error, extra={"request": task.id})
            body = None
        if body is None:
            problem = Problem(400, "request_unreadable", "The request cannot be read any more: its file is damaged.")
            return Outcome(Result(400, "", BY_PATH[task.path].error(problem)))
        return await execute(self._parts, task, body)

    def _route(self, model: str, allowed: frozenset[str] | None) -> str:
        key = None if allowed is None else Key("", models=allowed)
        route = self._parts.serving.find(model, key).route.name
        self._outlook.check(route)
        return route


async def _send(scope: Scope, send: Send, answer: Answer) -> None:
    await send_whole(send, answer.status, answer.headers, b"" if scope["method"] == "HEAD" else answer.body)


async def _refuse(send: Send, dialect: Dialect, problem: Problem) -> None:
    headers = [JSON]
    if problem.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(problem.retry_after))))
    if problem.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send_whole(send, problem.status, headers, dialect.error(problem))
