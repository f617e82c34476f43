"""What a gateway process asks of its system: sockets, and signals to stop."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    return sock


AT_ONCE = 0.2
"""Seconds within which signals are one. A parent of several threads that is killed dies thread by thread, and the
kernel tells its child of each of them."""


class Signals:
    """SIGTERM and SIGINT: the first asks for a drain, a later one for an end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stop, self.force = asyncio.Event(), asyncio.Event()
        self._clock, self._first = clock, 0.0
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._received)

    def _received(self) -> None:
        if not self.stop.is_set():
            self._first = self._clock()
            self.stop.set()
        elif self._clock() - self._first >= AT_ONCE:
            self.force.set()
