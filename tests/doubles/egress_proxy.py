"""An HTTP proxy on loopback: CONNECT for https, absolute-form for http; every name leads to where a test says."""

import asyncio
import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from sluice_sidecar.upstream.request import Origin


class EgressProxy:
    """`places`: authority (host:port) -> port on loopback. `answer`: what everything is answered with instead."""

    def __init__(self, places: Mapping[str, int] | None = None, *, answer: bytes | None = None) -> None:
        self._places, self._answer = dict(places or {}), answer
        self.lines: list[bytes] = []
        """First lines of the requests that came."""
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        """Set when a client closed its connection."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            try:
                await self._request(reader, writer)
                while await reader.read(65_536):
                    pass
            finally:
                self.left.set()
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        self.lines.append(line)
        self.asked.set()
        if self._answer is not None:
            writer.write(self._answer)
            await writer.drain()
            if self._answer:
                writer.write_eof()
            return
        method, target, version = line.split(b" ")
        if method == b"CONNECT":
            port, first = self._places[target.decode()], b""
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            place, slash, path = target.removeprefix(b"http://").partition(b"/")
            port, first = self._places[place.decode()], b" ".join((method, slash + path, version)) + b"\r\n" + rest
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        forth.write(first)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, forth))
                group.create_task(_pump(back, writer))
        finally:
            forth.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
    sink.close()
