"""One HTTP/1.1 connection: a request out, its response in, and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httptools

from sluice_sidecar.upstream.deadlines import NEVER, Deadlines
from sluice_sidecar.upstream.errors import BadResponse, ConnectionReset_, FirstByteTimeout, TotalTimeout, UpstreamError
from sluice_sidecar.upstream.response import Response

HEAD_LIMIT = 65_536
"""Bytes of a response head; also of framing in a row (chunk extensions, trailers, 1xx) without a byte of body."""

UNREAD_LIMIT = 262_144
"""Bytes that wait for a reader before the upstream is held back."""

PIECE = 262_144
"""A large body is written in pieces of this many bytes, each when the one before has left."""


class Connection(asyncio.Protocol):
    """A protocol that pools itself: when a response is complete it is back in `idle` before its reader wakes."""

    __slots__ = (
        "_bodyless", "_call", "_choked", "_chunks", "_complete", "_deadlines", "_end", "_framing", "_headers", "_idle",
        "_idle_for", "_keep", "_loop", "_name", "_parser", "_paused", "_response", "_transport",
        "_unread", "_until_close", "_waiter", "_writable", "_writing", "alive", "busy", "deadline", "on_body",
        "silent",
    )  # fmt: skip

    def __init__(self, name: str, idle: list[Connection], idle_for: float, deadlines: Deadlines) -> None:
        self._name = name
        self._idle = idle
        self._idle_for = idle_for
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self.alive = False
        self.busy = False  # a request is out, and its response not complete
        self.silent = True  # no byte of this response has come
        self.deadline = self._end = NEVER  # when something must have happened; when the call must be over
        self._waiter: asyncio.Future[Response] | None = None
        self._call: asyncio.Future[Response] | None = None  # the latest request's, whoever waits now
        self._writable: asyncio.Future[None] | None = None
        self._choked = self._writing = self._paused = False
        self._response: Response | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._bodyless = self._complete = self._keep = self._until_close = False
        self._framing = self._unread = 0
        self._chunks: list[bytes] = []
        self.on_body = self._chunks.append  # the parser's callback, without a Python frame a chunk
        self._parser = httptools.HttpResponseParser(self)

    # -- for the client

    def begin(self, request: bytes, bodyless: bool, head_by: float, end: float) -> asyncio.Future[Response]:
        """Writes a request, or its start; the future is done with the response's head, due by `head_by`."""
        self.busy = self.silent = True
        self._bodyless = bodyless
        self._framing = 0
        self._end = end
        waiter = self._waiter = self._call = self._loop.create_future()
        self._transport.write(request)
        self.expect(head_by)
        return waiter

    def expect(self, head_by: float) -> None:
        """The response's head is due by `head_by` on the loop's clock, or by the call's end if that is sooner."""
        self.deadline = deadline = min(head_by, self._end)
        if deadline < self._deadlines.next:
            self._deadlines.wake(deadline)

    async def write(self, body: bytes, waiter: asyncio.Future[Response]) -> None:
        """Writes a large body as the upstream takes it; stops where the answer comes before the body's end."""
        self._writing = True
        view = memoryview(body)
        for start in range(0, len(body), PIECE):
            if not await self._write(view[start : start + PIECE], waiter):
                return
        self._writing = False

    async def stream(self, pieces: AsyncIterator[bytes], waiter: asyncio.Future[Response]) -> None:
        """The same for a body that comes in pieces."""
        self._writing = True
        async for piece in pieces:
            if not await self._write(piece, waiter):
                return
        self._writing = False

    async def _write(self, piece: bytes | memoryview, waiter: asyncio.Future[Response]) -> bool:
        """Whether the upstream took a piece: not where it has answered already."""
        if self._choked and not waiter.done():
            self._writable = self._loop.create_future()
            await self._writable
        if waiter.done():
            return False
        self._transport.write(piece)
        return True

    def leave(self, waiter: asyncio.Future[Response]) -> None:
        """Whoever called `begin` waits no longer: abort that call, and no other's."""
        if self.busy and self._call is waiter:  # the head may have come in the same turn of the loop
            self.fail(UpstreamError("the call was left by its caller"))
        elif waiter.done() and not waiter.cancelled():
            waiter.exception()  # it failed in the same turn: seen, else asyncio logs it as never retrieved

    # -- for the response

    def take(self) -> bytes:
        """What has come of the body and was not taken yet; lets the upstream go on."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._unread = 0
        if self._paused:
            self._paused = False
            if self.alive:
                self._transport.resume_reading()
        return data

    def changed(self) -> asyncio.Future[Response]:
        """Done when there may be more to take, or the response has ended."""
        if self._waiter is not None:
            raise RuntimeError("a response has one reader, and another one is waiting")
        waiter = self._waiter = self._loop.create_future()
        return waiter

    # -- how a response, a call, a connection end

    def _finish(self) -> None:
        response = cast(Response, self._response)
        response.end(self.take())
        self._response = None
        self.busy = self._complete = self._until_close = False
        if self._keep and self.alive and not self._writing:
            self.deadline = deadline = self._loop.time() + self._idle_for
            if deadline < self._deadlines.next:
                self._deadlines.wake(deadline)
            self._idle.append(self)
        else:
            self.close()
        self._wake(response)

    def fail(self, error: UpstreamError) -> None:
        """Ends the call with `error`, and the connection with it."""
        response, self._response = self._response, None
        self.busy = False
        if response is not None:
            error.before_head = False
            response.end(self.take(), error)
            self._wake(response)
        elif self._waiter is not None:
            waiter, self._waiter = self._waiter, None
            if not waiter.done():
                waiter.set_exception(error)
            self._resume_writer()
        self.close()

    def _wake(self, response: Response) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(response)
            if self._writing:
                self._resume_writer()

    def _resume_writer(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def expire(self) -> None:
        """The deadline has come, of the call or of an idle connection."""
        if not self.busy:
            self.close()
        elif self.deadline < self._end:
            self.fail(FirstByteTimeout(f"{self._name}: no response head in time"))
        else:
            self.fail(TotalTimeout(f"{self._name}: the answer was not complete in time"))

    def close(self) -> None:
        """Closes at once, without a TLS farewell that the other side could delay."""
        if self.alive:
            self.alive = False
            self._transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, and with TLS its handshake done."""
        self._transport = cast(asyncio.Transport, transport)
        self.alive = True
        self._deadlines.members.add(self)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; what it found goes to the response and to whoever waits."""
        if not self.busy:
            self.close()  # nothing was asked: a farewell (408), or a second answer
            return
        self.silent = False
        self._framing += len(data)
        chunks = self._chunks
        before = len(chunks)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._complete:
                cause = error.__context__
                if not isinstance(cause, BadResponse):
                    cause = BadResponse(f"{self._name}: the answer is not valid HTTP/1.1: {error}")
                self.fail(cause)
                return
            self._keep = False  # good to the last byte of this answer, not beyond it
        if self._complete:
            self._finish()
            return
        if len(chunks) != before:
            self._framing = 0
            self._unread += len(data)
            if self._unread > UNREAD_LIMIT and not self._paused:
                self._paused = True
                self._transport.pause_reading()
        elif self._framing > HEAD_LIMIT:
            self.fail(BadResponse(f"{self._name}: the answer's head or framing exceeds {HEAD_LIMIT} bytes"))
            return
        if self._response is not None:
            self._wake(self._response)

    def eof_received(self) -> None:
        """No more will come; asyncio closes the transport when this returns."""
        if self.busy and self._until_close:
            self._keep = False
            self._finish()
        elif not self.busy:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is closed, by whichever side."""
        self.alive = False
        self._deadlines.members.discard(self)
        if self.busy:
            how = "reset" if exc is not None else "closed"
            when = "before it answered" if self._response is None else "in the middle of its answer"
            self.fail(ConnectionReset_(f"{self._name}: the upstream {how} the connection {when}"))
        elif self in self._idle:
            self._idle.remove(self)

    def pause_writing(self) -> None:
        """The transport holds more than it wants."""
        self._choked = True

    def resume_writing(self) -> None:
        """The transport takes more."""
        self._choked = False
        self._resume_writer()

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        """A response starts, informational ones too."""
        if self._complete:
            raise _StopError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """A head is whole: make its response, and find out how its body will end."""
        headers, self._headers = self._headers, []  # the new list takes the trailers, which nobody asked for
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise BadResponse(f"{self._name}: the upstream switches protocols, which nobody asked for")
            return
        if self._framing > HEAD_LIMIT and sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_LIMIT:
            raise BadResponse(f"{self._name}: the answer's head exceeds {HEAD_LIMIT} bytes")
        if not self._parser.should_keep_alive() and status not in (204, 304):
            self._until_close = _ends_by_closing(headers, self._name)
        self._response = Response(status, headers, self)
        self.deadline = self._end
        if self._bodyless:
            self._complete = True
            raise _StopError

    def on_message_complete(self) -> None:
        """A response has ended, informational ones too."""
        if self._response is not None:  # None: an informational response
            self._complete = True
            self._keep = self._parser.should_keep_alive()


class _StopError(Exception):
    """Stops the parser where the answer is whole: after a head without a body, before an answer too many."""


def _ends_by_closing(headers: list[tuple[bytes, bytes]], name: str) -> bool:
    fields = dict(headers)
    coding = fields.get(b"transfer-encoding")
    if coding is not None and coding.lower().rpartition(b",")[2].strip() != b"chunked":
        raise BadResponse(f"{name}: transfer-encoding {coding.decode('latin-1')!r} was not asked for")
    return coding is None and b"content-length" not in fields
