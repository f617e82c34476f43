"""Texts that wait for an embedder go together: one run for many, none delayed while there is room."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

from sluice_sidecar.cache.embedders.embedder import EmbeddingError

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector

Embed = Callable[[Sequence[str]], Awaitable[Sequence["Vector | EmbeddingError"]]]
"""Texts to, in their order, a vector each or why there is none; raises EmbeddingError where none of them has one."""

WAITING = 256
"""Texts that may wait. The next one is refused at once: what comes that late is of no use to its asker."""


class Batches:
    """An embedder out of one that takes many texts.

    A text that finds a free lane runs at once, with those that come in the same turn of the event loop. While all lanes
    are busy texts wait, and the lane that comes free takes up to `most` of them, the oldest first, after one turn of
    the loop: whoever was answered by the run before then has its next text in. A text whose asker has left is not run.
    The last `keep` vectors are remembered: an ask that missed is stored with the one that it was looked up with.
    """

    def __init__(self, embed: Embed, *, lanes: int = 1, most: int = 8, waiting: int = WAITING, keep: int = 512) -> None:
        self._embed, self._lanes, self._most, self._room = embed, lanes, most, waiting
        self._queue: deque[tuple[str, asyncio.Future[Vector]]] = deque()
        self._runs: set[asyncio.Task[None]] = set()
        self._recent: OrderedDict[str, Vector] = OrderedDict()
        self._keep = keep
        self._closed = False

    async def __call__(self, text: str) -> "Vector":
        """See Embedder. Raises EmbeddingError, at once where too many texts wait."""
        known = self._recent.get(text)
        if known is not None:
            return known
        if self._closed:
            raise EmbeddingError("the embedder was closed")
        if len(self._queue) >= self._room:
            self._queue = deque(one for one in self._queue if not one[1].done())
            if len(self._queue) >= self._room:
                raise EmbeddingError(f"{len(self._queue)} texts wait for their embedding already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Vector] = loop.create_future()
        self._queue.append((text, answer))
        if len(self._runs) < self._lanes:
            run = loop.create_task(self._run())
            self._runs.add(run)
        return await answer

    def close(self) -> None:
        """Ends what is under way; whoever waits, or asks from now on, gets an EmbeddingError."""
        self._closed = True
        for run in self._runs:
            run.cancel()
        while self._queue:
            _settle(self._queue.popleft()[1], EmbeddingError("the embedder was closed"))

    async def _run(self) -> None:
        try:
            await self._work()
        finally:
            # In the same step as the last look into the queue: a text that comes now begins a run of its own.
            self._runs.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _work(self) -> None:
        while taken := self._take():
            vectors: Sequence[Vector | EmbeddingError]
            try:
                vectors = await self._embed([text for text, _ in taken])
            except EmbeddingError as error:
                vectors = [error] * len(taken)
            except asyncio.CancelledError:
                for _, answer in taken:
                    _settle(answer, EmbeddingError("the embedder was closed"))
                raise
            except Exception as error:  # the askers must not wait for ever
                vectors = [EmbeddingError(f"the embedder failed: {error}")] * len(taken)
            for (text, answer), vector in zip(taken, vectors, strict=True):
                if not isinstance(vector, EmbeddingError):
                    self._remember(text, vector)
                _settle(answer, vector)
            await asyncio.sleep(0)

    def _take(self) -> list[tuple[str, "asyncio.Future[Vector]"]]:
        taken: list[tuple[str, asyncio.Future[Vector]]] = []
        while self._queue and len(taken) < self._most:
            one = self._queue.popleft()
            if not one[1].done():
                taken.append(one)
        return taken

    def _remember(self, text: str, vector: "Vector") -> None:
        self._recent[text] = vector
        if len(self._recent) > self._keep:
            self._recent.popitem(last=False)


def _settle(answer: "asyncio.Future[Vector]", with_: "Vector | EmbeddingError") -> None:
    if answer.done():
        return
    if isinstance(with_, EmbeddingError):
        answer.set_exception(with_)
    else:
        answer.set_result(with_)
