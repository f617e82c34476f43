"""A model server that does what a test tells it to, over real sockets, in OpenAI's and Anthropic's shapes.

    async with Scripted() as up:
        up.answer(text("Hello"), error(429))       # the next two requests
        up.otherwise(text("Hello again"))          # every request after them
        ... the gateway's backend is at up.url ...
        assert up.count == 2 and up.requests[0].json["model"] == "m"

A behaviour is any `async def behave(call: Call) -> None`; doubles.behaviours has them ready. Nothing here waits for
time: a test holds an answer back with a Gate, waits for requests with `await up.arrived(n)`, and for a caller that left
with `await up.requests[0].gone.wait()`.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson

Behaviour = Callable[["Call"], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Request:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Number of the connection that brought it, from 0: equal numbers prove keep-alive."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the connection closed before the answer was complete."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the answer was written whole."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def streams(self) -> bool:
        return bool(self.body) and self.json.get("stream") is True


class Gate:
    """Holds an answer between its pieces: closed until the test lets pieces through."""

    def __init__(self) -> None:
        self._passes = asyncio.Semaphore(0)
        self._open = False

    def step(self, pieces: int = 1) -> None:
        """Lets this many more through."""
        for _ in range(pieces):
            self._passes.release()

    def open(self) -> None:
        """Lets everything through from now on."""
        self._open = True
        self._passes.release()

    async def wait(self) -> None:
        await self._passes.acquire()
        if self._open:
            self._passes.release()


class Call:
    """What a behaviour answers with."""

    def __init__(self, request: Request, connection: "_Connection") -> None:
        self.request = request
        self._connection = connection
        self._chunked = False

    async def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole answer."""
        await self.head(
            status, {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        )
        await self._connection.write(body)

    async def head(self, status: int, headers: dict[str, str]) -> None:
        """The head alone; without a content-length the body is sent in chunks and ends with `end`."""
        self._chunked = "content-length" not in headers
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        if self._chunked:
            lines.append("transfer-encoding: chunked")
        await self._connection.write("\r\n".join([*lines, "", ""]).encode())

    async def write(self, data: bytes) -> None:
        """A piece of the body; waits while the caller does not read."""
        if data:
            await self._connection.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        """The end of a body without content-length."""
        if self._chunked:
            await self._connection.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Closes the connection in the midst of the answer (FIN)."""
        self._connection.transport.close()

    def reset(self) -> None:
        """Closes it with RST."""
        raw: socket.socket = self._connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.transport.abort()


class Scripted:
    """The server. `url` is a backend's base URL (ends in /v1), `origin` the same without a path."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        """Connections ever made."""
        self.live: set[_Connection] = set()
        """Connections open now."""
        self.failures: list[Exception] = []
        """What behaviours raised; the end of `async with` raises the first."""
        self._queue: deque[Behaviour] = deque()
        self._otherwise: Behaviour | None = None
        self._arrival = asyncio.Condition()
        self._server: asyncio.Server | None = None

    def answer(self, *behaviours: Behaviour) -> Self:
        """Queues behaviours, one a request."""
        self._queue.extend(behaviours)
        return self

    def otherwise(self, behaviour: Behaviour) -> Self:
        """What answers when the queue is empty; at first a plain 500 that says so."""
        self._otherwise = behaviour
        return self

    @property
    def count(self) -> int:
        """Requests that came."""
        return len(self.requests)

    async def arrived(self, count: int) -> Request:
        """Waits until this many requests came, and returns the last of them."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    @property
    def origin(self) -> str:
        assert self._server is not None, "use `async with Scripted() as up`"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        return self.origin + "/v1"

    async def behave(self, call: Call) -> None:
        """Answers one request as the script says."""
        self.requests.append(call.request)
        async with self._arrival:
            self._arrival.notify_all()
        behaviour = self._queue.popleft() if self._queue else self._otherwise
        if behaviour is None:
            await call.send(500, b'{"error":{"message":"the script has no answer left","type":"server_error"}}')
        else:
            await behaviour(call)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self.live):
            connection.transport.abort()
            if connection.task is not None:
                connection.task.cancel()
        await asyncio.gather(*(c.task for c in list(self.live) if c.task is not None), return_exceptions=True)
        await self._server.wait_closed()
        if self.failures and error is None:
            raise self.failures[0]


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one request at a time."""

    transport: asyncio.Transport

    def __init__(self, server: Scripted) -> None:
        self._server = server
        self._buffer = bytearray()
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = False
        self._request: Request | None = None
        self.task: asyncio.Task[None] | None = None
        self._number = server.connections
        server.connections += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server.live.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._writable.set()
        self._server.live.discard(self)
        if self._request is not None:
            self._request.gone.set()
        if self.task is not None:
            self.task.cancel()

    async def write(self, data: bytes) -> None:
        await self._writable.wait()
        if self._closed:
            raise ConnectionResetError("the caller closed the connection")
        self.transport.write(data)

    def _advance(self) -> None:
        if self._request is None and (request := self._parsed()) is not None:
            self._request = request
            self.task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        try:
            await self._server.behave(Call(request, self))
        except ConnectionResetError:
            return
        except Exception as error:
            self._server.failures.append(error)
            self.transport.abort()
            return
        if not self._closed and not self.transport.is_closing():
            request.answered.set()
            self._request, self.task = None, None
            self._advance()

    def _parsed(self) -> Request | None:
        """The next request, if all of it is in the buffer."""
        head, blank, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not blank:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            found = _dechunked(rest)
            if found is None:
                return None
            body, used = found
        else:
            used = int(headers.get("content-length", "0"))
            if len(rest) < used:
                return None
            body = rest[:used]
        del self._buffer[: len(head) + 4 + used]
        return Request(method, path, headers, body, self._number)


def _dechunked(data: bytes) -> tuple[bytes, int] | None:
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        if len(data) < end + 4 + size:
            return None
        body += data[end + 2 : end + 2 + size]
        at = end + 4 + size
        if size == 0:
            return body, at
    return None
