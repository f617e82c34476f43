"""HTTP/1.1 in front of an ASGI app: uvicorn's httptools protocol on an inherited socket, bounded and drainable.

uvicorn's own Server is left out: it takes the process's signals, ticks ten times a second, and can stop but one port.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sluice_sidecar.joined import JoinedWrites

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""An ASGI application."""

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than the clients' own limits, so that they close first."""

HEAD_BYTES = 65_536
"""Largest request head."""

HEAD_SECONDS = 10.0
"""How long a request head may take to come in whole."""

FLUSH_SECONDS = 2.0
"""How long a complete answer may still be on its way to a slow reader when the process stops."""

BACKLOG = 2048
"""Connections that the kernel holds for us: a restarting worker's callers wait there."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with limits on request heads and on connections that never send one."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _idle_timer: asyncio.TimerHandle | None = None
    _idle_since = 0.0
    _awaited: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Also arms the idle timer, which uvicorn arms after the first answer only."""
        self._joined = JoinedWrites(transport)
        super().connection_made(self._joined)
        self.timeout_keep_alive_task = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)
        self._idle_since = self.loop.time()
        self._idle_timer = self.loop.call_later(KEEP_ALIVE, self._idle)

    def data_received(self, data: bytes) -> None:
        """Also counts the bytes and the time of a head that did not come whole."""
        super().data_received(data)
        scope: object = self.scope
        if isinstance(scope, dict) and "path" not in scope:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse, b"408 Request Timeout")
        elif self._head_timer is not None:
            self._forget_head()

    def on_response_complete(self) -> None:
        """Also writes the head of an answer without a body; arms one timer in all, not one an answer."""
        self._joined.flush()
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(KEEP_ALIVE, self._idle)

    def _idle(self) -> None:
        """Closes a connection that was idle for KEEP_ALIVE seconds, or whose request's body was on its way for as long;
        looks again later at any other."""
        self._idle_timer = None
        busy = self.cycle is not None and not self.cycle.response_complete
        incomplete = self.cycle if busy and self.cycle.more_body else None
        left = KEEP_ALIVE if busy else self._idle_since + KEEP_ALIVE - self.loop.time()
        awaited, self._awaited = self._awaited, incomplete
        if left <= 0 or (incomplete is not None and incomplete is awaited):
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left, self._idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Also drops the timers, which hold the connection."""
        self._forget_head()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer, self._head_bytes = None, 0

    def _refuse(self, status: bytes) -> None:
        self._forget_head()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class Listener:
    """One port's app. `start` accepts, `stop_accepting` closes the port, `drain` waits for what is open.

    `tls`: spoken to in TLS alone.
    """

    def __init__(self, app: App, sock: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        for name in ("uvicorn.access", "uvicorn.error"):  # no line a request, whatever handlers the process has
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [logging.NullHandler()], False
            logger.setLevel(logging.CRITICAL)
        self._config = Config(
            app,
            http=HttpToolsProtocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._config.load()
        self._state = ServerState()
        self._sock, self._tls = sock, tls
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._sock.getsockname()[:2]
        return host, port

    @property
    def open(self) -> int:
        """Requests that are being answered now."""
        return len(self._state.tasks)

    async def start(self) -> None:
        """Begins to accept."""

        def connection() -> Connection:
            return Connection(config=self._config, server_state=self._state, app_state={})

        loop = asyncio.get_running_loop()
        if self._tls is None:
            self._server = await loop.create_server(connection, sock=self._sock, backlog=BACKLOG)
        else:
            self._server = await loop.create_server(
                connection,
                sock=self._sock,
                backlog=BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=HEAD_SECONDS,
                ssl_shutdown_timeout=FLUSH_SECONDS,
            )

    def stop_accepting(self) -> None:
        """Closes the port and idle connections; a busy one closes after its answer."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()

    async def drain(self, seconds: float) -> int:
        """Waits until no request is open, at most `seconds`; then cancels the rest and returns how many that were."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while self._state.tasks and (left := deadline - clock()) > 0:
            await asyncio.wait(set(self._state.tasks), timeout=left)
        flushed = clock() + FLUSH_SECONDS
        while self._state.connections and not self._state.tasks and clock() < flushed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # answers are complete but a slow reader has not taken all bytes yet
        return await self.cut()

    async def cut(self) -> int:
        """Cancels every open request and closes every connection; returns how many requests that were."""
        left = set(self._state.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=2.0)
        for connection in list(self._state.connections):
            transport: asyncio.Transport | None = connection.transport
            if transport is not None and not transport.is_closing():
                transport.close()
        return len(left)
