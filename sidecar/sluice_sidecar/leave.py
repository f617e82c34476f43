"""Notice when a caller leaves: its request's task is cancelled, and with it whatever is done for it upstream."""

import asyncio

from sluice_sidecar.wire import Receive

WATCH_AFTER = 0.02
"""Seconds after which a request is watched, twice that at most: most are answered before, and need no watcher."""


class LeaveWatch:
    """Cancels the current task when the caller leaves, or after `limit` seconds.

    A context manager around the work that follows the body; `arm` starts it, before work that may take long. `left` and
    `over` tell which it was; the cancellation is then the holder's to absorb.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watcher", "_watches", "left", "limit", "over")

    def __init__(self, watches: "Watches", receive: Receive, limit: float) -> None:
        self._watches, self._receive, self.limit = watches, receive, limit
        self._task: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.left = self.over = False

    def __enter__(self) -> "LeaveWatch":
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._watches.remove(self)
            if self._watcher is not None:
                self._watcher.cancel()
            if self._timer is not None:
                self._timer.cancel()

    def arm(self) -> None:
        """Watches the task that runs now. Once is enough; more do no harm."""
        if self._task is None:
            self._task = asyncio.current_task()
            self._watches.add(self)

    def start(self) -> None:
        """For Watches: the request is no short one."""
        self._watcher = asyncio.ensure_future(self._watch())
        self._timer = asyncio.get_running_loop().call_later(self.limit, self._expire)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._cancel()

    def _expire(self) -> None:
        self.over = True
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    @property
    def struck(self) -> bool:
        """Whether a cancellation of the task is this watch's doing."""
        return self.left or self.over

    def absorb(self) -> None:
        """Takes back the cancellation that this watch asked for, so that the task may go on to its end."""
        if self._task is not None:
            self._task.uncancel()


class Watches:
    """All armed watches of an event loop, under one timer: a timer each would cost as much as the cache's look-up.

    Two generations: what is still in the older one when the timer comes has been there for a whole turn, and starts.
    """

    __slots__ = ("_older", "_ticking", "_younger")

    def __init__(self) -> None:
        self._younger: dict[LeaveWatch, None] = {}
        self._older: dict[LeaveWatch, None] = {}
        self._ticking = False

    def add(self, watch: LeaveWatch) -> None:
        """To be started soon."""
        self._younger[watch] = None
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(WATCH_AFTER, self._tick)

    def remove(self, watch: LeaveWatch) -> None:
        """Needs no start any more, if it was not started yet."""
        if watch in self._younger:
            del self._younger[watch]
        else:
            self._older.pop(watch, None)

    def _tick(self) -> None:
        started, self._older, self._younger = self._older, self._younger, {}
        for watch in started:
            watch.start()
        self._ticking = bool(self._older)
        if self._ticking:
            asyncio.get_running_loop().call_later(WATCH_AFTER, self._tick)
