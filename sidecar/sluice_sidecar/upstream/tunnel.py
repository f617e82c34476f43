"""A way to an https upstream through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6)."""

import asyncio
import socket

from sluice_sidecar.upstream.errors import ConnectFailed, ProxyRefused
from sluice_sidecar.upstream.request import Origin, authority

HEAD_LIMIT = 16_384
"""Bytes of the proxy's answer."""


async def open_tunnel(sock: socket.socket, origin: Origin, name: str) -> None:
    """Asks the proxy that `sock` (non-blocking) is connected to for a tunnel to `origin`; what is written next goes
    there.

    Raises ProxyRefused when the proxy does not want to, ConnectFailed when it cannot, OSError when it is gone. Messages
    start with `name`.
    """
    loop = asyncio.get_running_loop()
    place = authority(origin, always=True)
    await loop.sock_sendall(sock, b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (place, place))
    head = bytearray()
    while (end := head.find(b"\r\n\r\n")) < 0:
        if len(head) > HEAD_LIMIT:
            raise ConnectFailed(f"{name}: the proxy's answer exceeds {HEAD_LIMIT} bytes")
        chunk = await loop.sock_recv(sock, 4096)
        if not chunk:
            raise ConnectFailed(f"{name}: the proxy closed the connection before it answered")
        head += chunk
    status, said = _status(bytes(head[: head.find(b"\r\n")]), name)
    if status == 407:
        raise ProxyRefused(f"{name}: {ASKS_WHO}")
    if status >= 500:
        raise ConnectFailed(f"{name}: the proxy could not connect: {said}")
    if not 200 <= status < 300:
        raise ProxyRefused(f"{name}: the proxy answered {said}")
    if len(head) > end + 4:  # in TLS the client speaks first, so these bytes are nobody's
        raise ConnectFailed(f"{name}: the proxy sent more than its answer")


ASKS_WHO = "the proxy asks who is calling (407), and this release cannot tell it; let the gateway's address pass there"


def _status(line: bytes, name: str) -> tuple[int, str]:
    version, _, said = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not said[:3].isdigit() or said[3:4] not in (b"", b" "):
        raise ConnectFailed(f"{name}: the proxy does not answer in HTTP")
    return int(said[:3]), said[:100].decode("latin-1").strip()
