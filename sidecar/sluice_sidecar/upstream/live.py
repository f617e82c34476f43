"""A live stream of events from one upstream: judged at its start, watched to its end."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import orjson

from sluice_sidecar.config import Backend
from sluice_sidecar.dialects.dialect import Assembler, Dialect
from sluice_sidecar.route.reply import NoAnswer, Reply
from sluice_sidecar.upstream.call import Call
from sluice_sidecar.upstream.errors import FirstByteTimeout, UpstreamError
from sluice_sidecar.upstream.failures import bad_answer, meaning, no_answer
from sluice_sidecar.upstream.response import Response
from sluice_sidecar.upstream.sse import Event, Splitter

LINGER = 1.0
"""Seconds that an upstream has after its end marker to end the response; then its connection is given up."""


class LiveEvents:
    """Iterates over the events of a response; every event has been fed to `assembler` before it is given out.

    Raises NoAnswer after the good events when the upstream breaks, ends without its end marker, or sends what cannot be
    read. An error that the upstream itself tells in the stream is given out as it came and ends the assembling.
    """

    __slots__ = (
        "_backend",
        "_call",
        "_chunks",
        "_dialect",
        "_over",
        "_problem",
        "_ready",
        "_response",
        "_splitter",
        "assembler",
        "failed",
        "received",
        "reply",
    )

    def __init__(self, response: Response, backend: Backend, dialect: Dialect, call: Call) -> None:
        self._response, self._backend, self._dialect, self._call = response, backend, dialect, call
        self._chunks: AsyncIterator[bytes] = aiter(response)
        self._splitter = Splitter()
        self._ready: deque[Event] = deque()
        self._problem: NoAnswer | None = None
        self._over = False
        self.assembler: Assembler = dialect.assembler()
        self.failed: str | None = None
        """The message of an error that the upstream told in the stream."""
        self.reply: Reply | None = None
        """The reply that these are the events of; its `failed` follows ours."""
        self.received = 0
        """Bytes so far."""

    def __aiter__(self) -> "LiveEvents":
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._problem is not None:
                problem, self._problem = self._problem, None
                raise problem
            if self._over:
                raise StopAsyncIteration
            await self._fill()
        return self._ready.popleft()

    async def begin(self, seconds: float) -> None:
        """Waits for the first event that is more than a comment; raises NoAnswer when none comes within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not self._begun() and not self._over:
                    await self._fill()
        except TimeoutError:
            self._break(no_answer(self._backend, FirstByteTimeout("no event")), healthy=False)
        if self._problem is not None and not self._begun():
            raise self._problem

    def _begun(self) -> bool:
        return any(event.data is not None for event in self._ready)

    async def drain(self, limit: int) -> None:
        """Reads to the end, for the assembler. Raises NoAnswer as iterating does, or beyond `limit` bytes."""
        self._ready.clear()
        while not self._over:
            await self._fill()
            self._ready.clear()
            if self.received > limit:
                self._break(bad_answer(self._backend, f"streamed more than {limit} bytes", code="answer_too_large"))
        if self._problem is not None:
            raise self._problem

    async def aclose(self) -> None:
        """Aborts the upstream unless it is done."""
        self.abandon()

    def abandon(self) -> None:
        """The same, without awaiting anything."""
        self._over = True
        self._ready.clear()
        self._problem = None
        self._response.abort()
        self._call.close("left", healthy=None)

    def stop(self) -> None:
        """Takes no more from upstream; what has come can still be iterated."""
        self._over = True
        self._response.abort()

    async def _fill(self) -> None:
        """Takes one chunk; what it brings is in `_ready`, `_problem` or `_over`."""
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._end()
            return
        except UpstreamError as error:
            self._break(no_answer(self._backend, error), healthy=None if not meaning(error).blames else False)
            return
        except BaseException:
            self.abandon()
            raise
        self.received += len(chunk)
        try:
            for event in self._splitter.feed(chunk):
                self._take(event)
        except ValueError as error:
            self._break(bad_answer(self._backend, f"sent a stream that cannot be read: {error}"), healthy=False)
            return
        if self.assembler.done:
            await self._linger()

    def _take(self, event: Event) -> None:
        if event.data is not None and self.failed is None:
            if b'"error"' in event.data:
                self.failed = self._told(event.data)
                if self.reply is not None:
                    self.reply.failed = self.failed
            if self.failed is None:
                self.assembler.feed(event)
                if self._call.attempt.first_token is None:
                    self._call.first_token()
        self._ready.append(event)

    def _told(self, data: bytes) -> str | None:
        value = orjson.loads(data)  # its error is a ValueError
        return self._dialect.failed(value) if isinstance(value, dict) else None

    async def _linger(self) -> None:
        """After the end marker: lets the response end, so that its connection can be used again."""
        self._over = True
        try:
            async with asyncio.timeout(LINGER):
                while True:
                    await anext(self._chunks)
        except (StopAsyncIteration, TimeoutError, UpstreamError):
            pass
        except BaseException:
            self.abandon()
            raise
        self._response.abort()
        try:
            usage = self._dialect.usage(self.assembler.whole())
        except ValueError as error:
            self._break(bad_answer(self._backend, f"sent a stream that cannot be read: {error}"), healthy=False)
        else:
            self._call.close(self._response.status, healthy=True, usage=usage)

    def _end(self) -> None:
        if self.failed is not None:
            self._over = True
            self._call.close("upstream_error", healthy=False)
        else:
            text = "ended its stream in the middle of an answer"
            self._break(bad_answer(self._backend, text, code="upstream_truncated"), healthy=False)

    def _break(self, problem: NoAnswer, *, healthy: bool | None = None) -> None:
        self._over = True
        self._problem = problem
        self._response.abort()
        self._call.close(problem.code, healthy=healthy)
