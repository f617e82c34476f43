"""The gateway's HTTP/1.1 client: fast, and gone the moment its caller is.

Why our own: docs/decisions/0001-http-client.md.
"""

import asyncio
import ssl
from collections.abc import Sequence

from sluice_sidecar.upstream.connection import Connection
from sluice_sidecar.upstream.deadlines import Deadlines
from sluice_sidecar.upstream.dial import dial
from sluice_sidecar.upstream.errors import (
    BadResponse,
    ConnectFailed,
    ConnectionReset_,
    ConnectTimeout,
    EgressDenied,
    FirstByteTimeout,
    ProxyRefused,
    TooLarge,
    TotalTimeout,
    UpstreamError,
)
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.request import Incoming, Origin, Timeouts, absolute, opening, parse_url, serialise
from sluice_sidecar.upstream.response import Response
from sluice_sidecar.upstream.tunnel import ASKS_WHO

__all__ = [
    "BadResponse",
    "Client",
    "ConnectFailed",
    "ConnectTimeout",
    "ConnectionReset_",
    "EgressDenied",
    "FirstByteTimeout",
    "Incoming",
    "Origin",
    "ProxyRefused",
    "Response",
    "Timeouts",
    "TooLarge",
    "TotalTimeout",
    "UpstreamError",
    "parse_url",
]

Pool = tuple[list[Connection], bytes, bytes]
"""Idle connections, last used at the end; what stands before a request's target, and what stands behind it."""

ONE_WRITE = 65_536
"""Bodies up to this many bytes leave in one write with their head."""


class Client:
    """Keep-alive pools of HTTP/1.1 connections, one pool an origin, for one event loop.

    Follows no redirect, decodes no body, asks for no compression, obeys no proxy variable: bytes go as they are given
    and come as they were sent, to where `guard` lets them and through its proxy where it says so. `idle` is how many
    seconds an unused connection is kept. `ssl_context` replaces what the guard trusts.
    """

    def __init__(self, guard: Guard, *, idle: float = 15.0, ssl_context: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._idle_for = idle
        self._tls = ssl_context
        self._pools: dict[Origin, Pool] = {}
        self._proxied: dict[Origin, Pool] = {}
        self._deadlines: Deadlines | None = None
        self._closed = False

    async def send(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes | Incoming,
        timeouts: Timeouts,
    ) -> Response:
        """Sends a request; returns when the response's head is in. Cancelling it aborts the call in every state.

        `target` is path and query. Host, content-length and connection headers are the client's own. Where a kept
        connection turns out closed before a byte of the answer, the request goes once more, on a fresh one; a body that
        is Incoming goes on a fresh one at once.
        Raises a subclass of UpstreamError, and ValueError for what cannot be written as one request.
        """
        proxy = self._guard.proxy
        if proxy is not None and not self._guard.proxied(origin.host, origin.port):
            proxy = None
        plain = proxy is not None and origin.scheme == "http"
        pools = self._pools if proxy is None else self._proxied
        pool = pools.get(origin)
        if pool is None:
            pool = pools[origin] = [], absolute(origin) if plain else b" ", opening(origin)
        idle, before, shared = pool
        coming = body if isinstance(body, Incoming) else None
        rest = b"" if isinstance(body, Incoming) else body
        length = len(rest) if coming is None else coming.length
        head = serialise(method, target, shared, headers, length, before=before)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeouts.total
        small = coming is None and length <= ONE_WRITE
        fresh = coming is not None
        while True:
            connection = None
            while idle and not fresh:
                connection = idle.pop()
                if connection.alive:
                    break
                connection = None
            if connection is None:
                fresh = True
                connection = await self._connect(origin, proxy, idle, timeouts.connect, end)
            if small:
                waiter = connection.begin(head + rest, method == b"HEAD", loop.time() + timeouts.first_byte, end)
            else:
                waiter = connection.begin(head, False, end, end)
            try:
                if not small:
                    if coming is None:
                        await connection.write(rest, waiter)
                    else:
                        await connection.stream(coming.pieces, waiter)
                    if not waiter.done():
                        connection.expect(loop.time() + timeouts.first_byte)
                response = await waiter
                if plain and response.status == 407:
                    response.abort()
                    raise ProxyRefused(f"{origin} through proxy {proxy}: {ASKS_WHO}")
                return response
            except ConnectionReset_:
                if fresh or not connection.silent:
                    raise
                fresh = True
            except BaseException:
                connection.leave(waiter)
                raise

    async def close(self) -> None:
        """Aborts every call and closes every connection; the client takes no more requests."""
        self._closed = True
        if self._deadlines is not None:
            for connection in tuple(self._deadlines.members):
                if connection.busy:
                    connection.fail(UpstreamError("the client is closed"))
                else:
                    connection.close()
            self._deadlines.close()
            await asyncio.sleep(0)  # transports close in the loop's next turn

    async def _connect(
        self, origin: Origin, proxy: Origin | None, idle: list[Connection], seconds: float, end: float
    ) -> Connection:
        if self._closed:
            raise UpstreamError("the client is closed")
        if self._deadlines is None:
            self._deadlines = Deadlines(asyncio.get_running_loop())
        deadlines = self._deadlines
        tls = (self._tls or self._guard.trust.context) if origin.scheme == "https" else None
        name = str(origin) if proxy is None else f"{origin} through proxy {proxy}"
        to, tunnel = proxy or origin, None if proxy is None or tls is None else origin

        def protocol() -> Connection:
            return Connection(name, idle, self._idle_for, deadlines)

        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + seconds, end)):
                addresses = await self._guard.addresses(to.host, to.port)
                connection = await dial(protocol, addresses, tls, origin.host, name, tunnel=tunnel)
        except TimeoutError:
            if end < now + seconds:
                raise TotalTimeout(f"{name}: no connection within the call's time") from None
            raise ConnectTimeout(f"{name}: no connection within {seconds:g} s") from None
        if self._closed or not connection.alive:
            connection.close()
            raise ConnectFailed(f"{name}: the connection was closed as soon as it stood")
        return connection
