"""A queue of keys: each is worked on by one worker at a time, again when it changed meanwhile, later when it failed."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait after failures in a row: doubling from `first` to `most`, less up to `jitter` of it."""

    first: float = 0.5
    most: float = 60.0
    jitter: float = 0.3
    """Share of the wait that chance takes away, so that keys that failed together do not come back together."""

    def after(self, failures: int, chance: float) -> float:
        """The wait after this many failures (1 or more); `chance` in [0, 1)."""
        doubled = self.first * 2.0 ** min(failures - 1, 60)
        return min(self.most, doubled) * (1.0 - self.jitter * chance)


class Schedule(Generic[Key]):
    """What is to be worked on and when. Pure: every method is told the time, in seconds of any steady clock."""

    def __init__(self, backoff: Backoff, chance: Callable[[], float]) -> None:
        self._backoff = backoff
        self._chance = chance
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._running: set[Key] = set()
        self._changed: set[Key] = set()
        self._failures: dict[Key, int] = {}

    def add(self, key: Key, now: float, delay: float = 0.0) -> None:
        """Wants the key worked on in `delay` seconds, or sooner where it is due sooner.

        While it runs it is noted, and due again as soon as that ends. A key that failed is brought forward, to the
        first wait of its backoff and no sooner: its own writes may be what woke it.
        """
        if key in self._running and delay <= 0:
            self._changed.add(key)
            return
        wait = max(delay, self._backoff.first) if key in self._failures else max(delay, 0.0)
        self._put(key, now + wait)

    def take(self, now: float) -> Key | None:
        """The key that has been due longest; it runs until `done`, `failed` or `dropped`. None: none is due."""
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) != due:
                continue  # it was moved forward
            del self._due[key]
            if key in self._running:
                self._changed.add(key)
                continue
            self._running.add(key)
            return key
        return None

    def done(self, key: Key, now: float, requeue_after: float | None = None) -> None:
        """It succeeded; wants it again after some seconds, or only when it changes."""
        self._failures.pop(key, None)
        self._ended(key, now)
        if requeue_after is not None:
            self._put(key, now + max(requeue_after, 0.0))

    def failed(self, key: Key, now: float) -> float:
        """It failed; it comes again after the seconds that are returned."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        wait = self._backoff.after(failures, self._chance())
        if key in self._changed:
            self._changed.discard(key)
            wait = min(wait, self._backoff.first)
        self._running.discard(key)
        self._put(key, now + wait)
        return wait

    def dropped(self, key: Key, now: float) -> None:
        """Its worker was stopped: it is due again at once, and that is no failure."""
        self._changed.add(key)
        self._ended(key, now)

    def next_due(self) -> float | None:
        """When a key is due next; None: none waits."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def depth(self, now: float) -> int:
        """How many keys are due and not taken."""
        return sum(due <= now for due in self._due.values())

    @property
    def waiting(self) -> int:
        """How many keys are due, now or later."""
        return len(self._due)

    @property
    def running(self) -> int:
        """How many keys are being worked on."""
        return len(self._running)

    def _ended(self, key: Key, now: float) -> None:
        self._running.discard(key)
        if key in self._changed:
            self._changed.discard(key)
            self._put(key, now)

    def _put(self, key: Key, due: float) -> None:
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))


class WorkQueue(Generic[Key]):
    """Calls `work(key)` for the keys that are added, from a fixed number of workers, for as long as `run` runs.

    Keys may be added before that and after it: nothing is lost. To be used from one event loop.
    """

    def __init__(
        self,
        work: Callable[[Key], Awaitable[float | None]],
        *,
        workers: int = 4,
        backoff: Backoff | None = None,
        on_failure: Callable[[Key, Exception, float], None] = lambda key, error, wait: None,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`work` returns seconds after which it wants the key again, or None; an exception is a failure.

        `on_failure` is told key, exception and wait in seconds. `clock` tells steady seconds: the event loop's.
        """
        if workers < 1:
            raise ValueError(f"a queue needs 1 worker or more, not {workers}")
        self._work = work
        self._workers = workers
        self._on_failure = on_failure
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._schedule: Schedule[Key] = Schedule(backoff or Backoff(), chance)
        self._woken = asyncio.Event()
        self._runs = False

    def add(self, key: Key, delay: float = 0.0) -> None:
        """Wants the key worked on, in `delay` seconds or sooner."""
        self._schedule.add(key, self._clock(), delay)
        self._woken.set()

    @property
    def depth(self) -> int:
        """How many keys are due and wait for a worker."""
        return self._schedule.depth(self._clock())

    @property
    def waiting(self) -> int:
        """How many keys wait, those that are due later too."""
        return self._schedule.waiting

    @property
    def running(self) -> int:
        """How many keys are being worked on."""
        return self._schedule.running

    async def run(self) -> None:
        """Works until it is cancelled; keys that are then being worked on are due at once in the next `run`.

        Raises RuntimeError where it already runs.
        """
        if self._runs:
            raise RuntimeError("this queue already runs")
        self._runs = True
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._worker())
        finally:
            self._runs = False

    async def _worker(self) -> None:
        while True:
            key = self._schedule.take(self._clock())
            if key is None:
                await self._wait()
            else:
                await self._one(key)
                # Work that found nothing to wait for must not keep what else runs waiting: the renewal of the lease.
                await asyncio.sleep(0)

    async def _one(self, key: Key) -> None:
        try:
            again = await self._work(key)
        except Exception as error:
            wait = self._schedule.failed(key, self._clock())
            self._woken.set()
            self._on_failure(key, error, wait)
        except BaseException:
            self._schedule.dropped(key, self._clock())
            raise
        else:
            self._schedule.done(key, self._clock(), again)
            self._woken.set()

    async def _wait(self) -> None:
        """Until something was added, ended or is due."""
        self._woken.clear()
        due = self._schedule.next_due()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(due - self._clock(), 0.0)):
                await self._woken.wait()
