"""What a gateway process asks of its system: sockets, and signals to stop."""

import asyncio
import signal
import socket


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    return sock


class Signals:
    """SIGTERM and SIGINT: the first asks for a drain, the second for an end."""

    def __init__(self) -> None:
        self.stop, self.force = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._received)

    def _received(self) -> None:
        (self.force if self.stop.is_set() else self.stop).set()
