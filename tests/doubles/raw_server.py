"""A TCP server whose every byte a test writes itself: for what no HTTP server would do."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from sluice_sidecar.upstream.client import Origin

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Peer:
    """One accepted connection, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.heads: list[bytes] = []
        self.got_request = asyncio.Event()
        self.gone = asyncio.Event()  # set by `watch`

    async def request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request; IncompleteReadError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        body = await self.reader.readexactly(length)
        self.heads.append(head)
        self.got_request.set()
        return head, body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Ends with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def watch(self) -> None:
        """Returns when the client's side is closed, by FIN or RST."""
        with contextlib.suppress(OSError):
            while await self.reader.read(65_536):
                pass
        self.gone.set()


Handler = Callable[[Peer], Awaitable[None]]


class RawServer:
    """Serves `host` on a free port; `handler` runs once a connection, which closes when it returns."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._handler = handler
        self._host = host
        self._tls = tls
        self.peers: list[Peer] = []
        self.errors: list[Exception] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        return Origin("https" if self._tls else "http", self._host, self.port)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, self._host, 0, ssl=self._tls, limit=1 << 20, backlog=512
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if kind is None and self.errors:
            raise self.errors[0]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(Peer(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, peer: Peer) -> None:
        self.peers.append(peer)
        try:
            await self._handler(peer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client is gone: most handlers loop until then
        except Exception as error:
            self.errors.append(error)
        finally:
            peer.writer.close()
            with contextlib.suppress(OSError):
                await peer.writer.wait_closed()


def always(answer: bytes) -> Handler:
    """Answers every request on a connection with the same bytes."""

    async def handler(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(answer)

    return handler


def once(answer: bytes) -> Handler:
    """Answers one request, then closes."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)

    return handler


def stalling(answer: bytes = b"") -> Handler:
    """Reads one request, sends `answer`, then nothing; `peer.gone` tells when the client left."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        if answer:
            await peer.send(answer)
        await peer.watch()

    return handler


def echo_length() -> Handler:
    """Answers with the length of the request's body."""

    async def handler(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            said = b"%d" % len(body)
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))

    return handler
