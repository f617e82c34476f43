"""Single flight: callers who ask the same at the same time share one upstream call, streams included.

follower = flights.join(key) or flights.launch(key, fetch)
with follower:                                  # leaving is counted; the last one out cancels the call
    head = await follower.head()                # raises what the call raised
    async for event in follower: ...            # every event from the first, live
    answer = await follower.result()            # what fetch handed to flight.finish()

async def fetch(flight):                        # runs in the flight's own task
    flight.begin(head)
    async for event in upstream:
        if not flight.push(event, len(event.raw)):
            await flight.room()                 # nobody reads fast enough: let the upstream wait
    flight.finish(answer)                       # followers are served; what comes after runs on (storing)
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

log = logging.getLogger("sluice.cache")

BUFFER = 4_194_304
"""Bytes of one flight's events that are kept for those who join later."""


class FlightError(Exception):
    """The shared call ended without an answer of its own: it was cancelled, or this follower fell too far behind."""


class Flight:
    """One shared call, seen from its producer."""

    __slots__ = ("_events", "_first", "_flights", "_followers", "_limit", "_size", "_sizes", "_space", "_task",
                 "_waiters", "answer", "done", "failure", "head", "joinable", "keep", "key")  # fmt: skip

    def __init__(self, flights: "Flights", key: str, limit: int, keep: bool) -> None:
        self.key, self.keep = key, keep
        self.head: Any = None
        self.answer: Any = None
        self.done = False
        self.failure: BaseException | None = None
        self.joinable = True
        """Whether a newcomer can still have every event."""
        self._flights, self._limit = flights, limit
        self._events: deque[Any] = deque()
        self._sizes: deque[int] = deque()
        self._first = 0  # the index of _events[0]; what everybody has read is let go once nobody can join
        self._size = 0
        self._followers: list[Follower] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._space: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, head: Any) -> None:
        """The answer's head is in: status, headers, whatever producer and followers agree on."""
        self.head = head
        self._wake()

    def push(self, event: Any, size: int) -> bool:
        """One more event of `size` bytes for every follower. False: await room() before the next."""
        self._events.append(event)
        self._sizes.append(size)
        self._size += size
        if self._size > self._limit:
            self.joinable = False
            self._flights._close(self)
            self._trim()
        if self._waiters:
            self._wake()
        return self._size <= self._limit

    async def room(self) -> None:
        """Returns when the fastest follower has read all: a slow one never holds the others up."""
        while self._size > self._limit and self._followers:
            end = self._first + len(self._events)
            if any(follower.index >= end for follower in self._followers):
                self._shed()
                return
            self._space = asyncio.get_running_loop().create_future()
            await self._space

    def finish(self, answer: Any = None) -> None:
        """The answer is whole. The producer may go on (storing it): leaving followers no longer cancel it."""
        self.answer, self.done = answer, True
        self._flights._close(self)
        self._wake()

    def _fail(self, failure: BaseException) -> None:
        if not self.done:
            self.failure, self.done = failure, True
        self._flights._close(self)
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _trim(self) -> None:
        """Lets go of what every follower has read."""
        read = min((follower.index for follower in self._followers), default=self._first)
        while self._first < read and self._events:
            self._events.popleft()
            self._size -= self._sizes.popleft()
            self._first += 1

    def _shed(self) -> None:
        """Drops followers that are a whole buffer behind the fastest."""
        slowest = min(follower.index for follower in self._followers)
        for follower in [one for one in self._followers if one.index == slowest]:
            follower.lost = True
            self._followers.remove(follower)
        self._trim()
        self._wake()

    def _left(self, follower: "Follower") -> None:
        if follower in self._followers:
            self._followers.remove(follower)
        if self._followers:
            if not self.joinable:
                self._trim()
            self._freed()
        elif not self.done and not self.keep and self._task is not None:
            self.joinable = False
            self._flights._close(self)
            self._task.cancel()
        else:
            self._freed()

    def _freed(self) -> None:
        if self._space is not None and not self._space.done():
            self._space.set_result(None)


class Follower:
    """One caller's place in a flight; the one who launched it has one too. Use it as a context manager."""

    __slots__ = ("flight", "index", "lost")

    def __init__(self, flight: Flight) -> None:
        self.flight, self.index, self.lost = flight, 0, False
        flight._followers.append(self)

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def leave(self) -> None:
        """Needs nothing more. The last to leave an unfinished flight cancels its call. Idempotent."""
        self.flight._left(self)

    async def head(self) -> Any:
        """The answer's head, once it is there. Raises what the call raised."""
        flight = self.flight
        while flight.head is None and not flight.done:
            await self._change()
        if flight.failure is not None and flight.head is None:
            raise flight.failure.with_traceback(None)
        return flight.head

    async def result(self) -> Any:
        """What the producer finished with. Raises what the call raised. Events need not be read before."""
        flight = self.flight
        while not flight.done:
            self.index = flight._first + len(flight._events)
            if not flight.joinable:
                flight._trim()
            flight._freed()
            await self._change()
        if flight.failure is not None:
            raise flight.failure.with_traceback(None)
        return flight.answer

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> Any:
        flight = self.flight
        while True:
            if self.lost:
                raise FlightError("this caller read so slowly that the shared answer's buffer overran it")
            place = self.index - flight._first
            if place < len(flight._events):
                event = flight._events[place]
                self.index += 1
                if not flight.joinable:
                    flight._trim()
                    flight._freed()
                return event
            if flight.done:
                if flight.failure is not None:
                    raise flight.failure.with_traceback(None)
                raise StopAsyncIteration
            await self._change()

    async def _change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.flight._waiters.append(waiter)
        await waiter


Producer = Callable[[Flight], Awaitable[None]]


class Flights:
    """All calls under way in this process, by key."""

    __slots__ = ("_buffer", "_open", "_tasks")

    def __init__(self, buffer: int = BUFFER) -> None:
        self._buffer = buffer
        self._open: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def join(self, key: str) -> Follower | None:
        """A place in the flight of that key, or None where there is none to join."""
        flight = self._open.get(key)
        return None if flight is None else Follower(flight)

    def launch(self, key: str, make: Producer, *, keep: bool = False) -> Follower:
        """Starts `make` in a task of its own and takes a place in it. `keep`: it runs to its end without followers."""
        flight = Flight(self, key, self._buffer, keep)
        self._open[key] = flight
        follower = Follower(flight)
        task = asyncio.get_running_loop().create_task(self._run(flight, make))
        flight._task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return follower

    def flying(self, key: str) -> bool:
        """Whether a call of that key is under way (a background refresh is launched once)."""
        return key in self._open

    async def close(self) -> None:
        """Cancels what is under way and waits for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._open)

    async def _run(self, flight: Flight, make: Producer) -> None:
        try:
            await make(flight)
        except asyncio.CancelledError:
            flight._fail(FlightError("the shared upstream call was cancelled"))
            raise
        except Exception as error:  # every follower gets it: nobody awaits this task
            if flight.done:
                log.exception("work after a finished answer failed; its followers were served")
            flight._fail(error)
        else:
            if not flight.done:
                flight._fail(FlightError("the shared upstream call ended without an answer"))

    def _close(self, flight: Flight) -> None:
        if self._open.get(flight.key) is flight:
            del self._open[flight.key]
