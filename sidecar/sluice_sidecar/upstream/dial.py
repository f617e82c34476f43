"""From checked addresses to a connected, encrypted transport."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence

from sluice_sidecar.upstream.connection import Connection
from sluice_sidecar.upstream.errors import ConnectFailed
from sluice_sidecar.upstream.guard import SockAddr
from sluice_sidecar.upstream.request import Origin
from sluice_sidecar.upstream.tunnel import open_tunnel

STAGGER = 0.25
"""Seconds that an address has to itself before the next one is tried beside it (RFC 8305, section 5)."""


async def dial(
    protocol: Callable[[], Connection],
    addresses: Sequence[SockAddr],
    tls: ssl.SSLContext | None,
    host: str,
    name: str,
    *,
    tunnel: Origin | None = None,
) -> Connection:
    """Connects to the first of `addresses` that answers, with TLS for `host` (SNI and verification) if `tls` is given.

    `tunnel`: the addresses are a proxy's, which is asked for a way to there. Raises ConnectFailed or ProxyRefused,
    whose messages start with `name`. Cancelling it closes every socket at once.
    """
    loop = asyncio.get_running_loop()
    try:
        sock = await _first(loop, addresses)
        if tunnel is not None:
            try:
                await open_tunnel(sock, tunnel, name)
            except BaseException:
                sock.close()
                raise
        if tls is None:
            _, connection = await loop.create_connection(protocol, sock=sock)
        else:
            _, connection = await loop.create_connection(protocol, sock=sock, ssl=tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise ConnectFailed(f"{name}: its certificate is not trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise ConnectFailed(f"{name}: TLS failed: {error.reason or error}") from error
    except OSError as error:
        raise ConnectFailed(f"{name}: cannot connect: {error.strerror or error or type(error).__name__}") from error
    return connection


async def _first(loop: asyncio.AbstractEventLoop, addresses: Sequence[SockAddr]) -> socket.socket:
    if len(addresses) == 1:
        return await _connect(loop, addresses[0])
    waiting = list(reversed(addresses))
    running: set[asyncio.Task[socket.socket]] = set()
    failure: BaseException = OSError("no address")
    try:
        while waiting or running:
            if waiting:
                running.add(loop.create_task(_connect(loop, waiting.pop())))
            done, running = await asyncio.wait(
                running, timeout=STAGGER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            won = [task.result() for task in done if not (task.exception())]
            for late in won[1:]:
                late.close()
            if won:
                return won[0]
            failure = next((error for task in done if (error := task.exception())), failure)
    finally:
        for task in running:
            task.cancel()
    raise failure


async def _connect(loop: asyncio.AbstractEventLoop, address: SockAddr) -> socket.socket:
    sock = socket.socket(socket.AF_INET if len(address) == 2 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
