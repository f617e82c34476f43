"""Runs what waits: claims while a window is open and interactive traffic leaves room, and settles each request once."""

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.ending import ended
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.figures import Tally
from sluice_sidecar.batch.gate import Pool
from sluice_sidecar.batch.lateness import latest_start
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Lane, Result, Task
from sluice_sidecar.dialects.registry import BY_PATH

ATTEMPTS = 8
"""Tries of one request; after the last its error is its result."""
PAUSE = 2.0
"""Seconds before the second try; three times as long before each further one."""
LONGEST_PAUSE = 1_800.0
LEASE = 120.0
"""Seconds for which a claim holds unless it is renewed."""
TURN = 1.0
"""Seconds between looks at what time alone changes: windows, pauses, leases, deadlines."""
POLL = 0.2
"""The same where other processes put requests into the queue."""

log = logging.getLogger("sluice.batch")

Run = Callable[[Task], Awaitable[Outcome]]


class Worker:
    """The one worker of a queue. `pools` says what may run and when, `asking` how many callers wait for an answer now:
    each of them takes one place of every pool's concurrency."""

    def __init__(
        self,
        queue: Queue,
        run: Run,
        pools: Callable[[], Sequence[Pool]],
        asking: Callable[[], int],
        *,
        attempts: int = ATTEMPTS,
        pause: float = PAUSE,
        alone: bool = True,
    ) -> None:
        self._queue, self._run, self._pools, self._asking = queue, run, pools, asking
        self._attempts, self._pause, self._alone = attempts, pause, alone
        self._held: dict[Task, asyncio.Task[None]] = {}
        self._busy: Counter[str] = Counter()
        """Pool -> requests that run."""
        self._main: asyncio.Task[None] | None = None
        self._pace: dict[str, float] = {}
        """Pool -> requests a second, as measured while it was busy."""
        self._late: set[str] = set()
        self.tally = Tally()
        self._renewed = self._ripened = -math.inf
        self._closed = False

    async def start(self) -> None:
        """Takes up what an earlier process left running, then works until `stop`."""
        await self._queue.store.recover()
        self._main = asyncio.get_running_loop().create_task(self._always(), name="batch-worker")

    def close(self) -> None:
        """Claims no more; what runs goes on, under leases that are renewed."""
        self._closed = True

    async def idle(self, seconds: float) -> int:
        """Waits until nothing runs, at most so long; how many run still."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._held and (left := until - loop.time()) > 0:
            await asyncio.wait(set(self._held.values()), timeout=left)
        return len(self._held)

    async def stop(self) -> None:
        """Gives back what runs; its next try is its first again."""
        await ended(self._main)
        held = list(self._held.items())
        for _, running in held:
            running.cancel()
        await asyncio.gather(*(running for _, running in held), return_exceptions=True)
        back = (self._queue.store.put_back(task, None) for task, _ in held)
        await asyncio.gather(*back, return_exceptions=True)  # a lease that stays ends by itself

    @property
    def running(self) -> int:
        """Requests that run now."""
        return len(self._held)

    def pace(self, pool: str) -> float | None:
        """Requests a second of a pool while it is busy; None: none has run yet."""
        return self._pace.get(pool)

    async def _always(self) -> None:
        queue = self._queue
        while True:
            queue.woken.clear()
            try:
                await self._turn()
            except Exception:  # a disk that refuses now may not in a second
                log.exception("the batch queue cannot be worked on; trying again")
                await asyncio.sleep(TURN)
            try:
                async with asyncio.timeout(TURN if self._alone else POLL):
                    await queue.woken.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> None:
        now = self._queue.clock()
        tick = abs(now - self._ripened) >= (TURN if self._alone else POLL)
        if tick:
            self._ripened = now
            await self._queue.store.ripen(now)
        if self._held and abs(now - self._renewed) > LEASE / 4:
            self._renewed = now
            await self._queue.store.renew(list(self._held), now + LEASE)
        if self._closed:
            return
        pools = self._pools()
        # Nothing but time opens a window, or makes a request late.
        able = [pool for pool in pools if (tick or pool.gate.open(now)) and self._busy[pool.name] < pool.concurrency]
        if not able:
            return
        waiting = [lane for lane in await self._queue.store.lanes() if lane.queued]
        named = frozenset[str]().union(*(pool.routes for pool in pools))
        for pool in able:
            await self._fill(pool, [lane for lane in waiting if _belongs(lane, pool, named)], now)

    async def _fill(self, pool: Pool, lanes: list[Lane], now: float) -> None:
        """Claims what the pool has room for."""
        if not lanes:
            return
        busy = self._busy[pool.name]
        room = pool.concurrency - busy - self._asking()
        made_before: float | None = None
        if not pool.gate.open(now):
            made_before = now - self._latest(pool, sum(lane.queued for lane in lanes))
            if pool.missed != "RunAnyway":
                return
            # Nobody is to wait for ever, so what is late has one place whatever callers do.
            room = max(room, 1 - busy)
        if room <= 0 or self._closed:
            return
        chosen = [lane.id for lane in lanes]
        tasks = await self._queue.store.claim(room, chosen, now + LEASE, made_before=made_before)
        if tasks and made_before is not None and pool.name not in self._late:
            log.warning("BatchWindow %s: requests run outside of it, to be done within their deadline", pool.name)
        if made_before is None:
            self._late.discard(pool.name)
        elif tasks:
            self._late.add(pool.name)
        self._busy[pool.name] += len(tasks)
        for task in tasks:
            self._held[task] = asyncio.get_running_loop().create_task(self._one(task, pool))

    def _latest(self, pool: Pool, queued: int) -> float:
        """How old a batch may become before it must start, by what waits and how quickly it goes."""
        pace = self._pace.get(pool.name)
        return latest_start(pool.deadline, queued, pace) if pace else pool.deadline

    async def _one(self, task: Task, pool: Pool) -> None:
        began = asyncio.get_running_loop().time()
        try:
            await self._settle(task, pool, await self._outcome(task))
        except Exception:  # its lease ends, and it is tried again
            log.exception("the result of a deferred request could not be kept", extra={"request": task.id})
        finally:
            self._held.pop(task, None)
            self._busy[pool.name] -= 1
            self._queue.done(task)
        took = max(asyncio.get_running_loop().time() - began, 1e-4)
        rate, before = (self._busy[pool.name] + 1) / took, self._pace.get(pool.name)
        self._pace[pool.name] = rate if before is None else 0.9 * before + 0.1 * rate

    async def _outcome(self, task: Task) -> Outcome:
        if task.attempt > self._attempts:  # each time the process that ran it ended before it did
            problem = Problem(500, "gateway_ended", "Given up: the gateway ended each time while it ran this request.")
            return Outcome(Result(500, "", BY_PATH[task.path].error(problem)))
        return await self._run(task)

    async def _settle(self, task: Task, pool: Pool, outcome: Outcome) -> None:
        queue = self._queue
        if outcome.again and task.attempt < self._attempts:
            pause = min(self._pause * 3.0 ** (task.attempt - 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
            ready = queue.clock() + max(pause, outcome.retry_after or 0.0)
            self.tally.ran(pool, outcome, kept=False, late=False)
            await queue.store.put_back(task, ready)
            return
        now = queue.clock()
        kept = await queue.store.settle(task, outcome.result, now=now)
        self.tally.ran(pool, outcome, kept=kept, late=now > task.made + pool.deadline)
        if not kept:
            log.warning("a deferred request was run twice, the first result stays", extra={"request": task.id})


def _belongs(lane: Lane, pool: Pool, named: frozenset[str]) -> bool:
    return lane.route in pool.routes if pool.name else lane.route not in named
