"""A host with several addresses is reached by the first that answers."""

import socket
import time

import pytest

from doubles.calls import get
from doubles.components import require
from doubles.raw_server import OK, RawServer, always
from sluice_sidecar.upstream.client import Client, ConnectFailed, Origin
from sluice_sidecar.upstream.guard import Guard, SockAddr


class Known(Guard):
    """A resolver that says what it is told to."""

    def __init__(self, *addresses: SockAddr) -> None:
        super().__init__(loopback=True)
        self._addresses = list(addresses)

    async def addresses(self, host: str, port: int) -> list[SockAddr]:
        return self._addresses


def refusing() -> SockAddr:
    """An address of this machine where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address: tuple[str, int] = sock.getsockname()
        return address


async def test_one_that_refuses_is_passed_over() -> None:
    async with RawServer(always(OK)) as server:
        client = Client(Known(refusing(), refusing(), ("127.0.0.1", server.port)))
        assert await (await get(client, Origin("http", "many.example", 80))).read(2) == b"ok"
        await client.close()


async def test_one_that_is_silent_is_overtaken() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        knocking = [socket.socket() for _ in range(4)]
        for sock in knocking:
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        async with RawServer(always(OK)) as server:
            client = Client(Known(deaf.getsockname(), ("127.0.0.1", server.port)))
            start = time.perf_counter()
            assert await (await get(client, Origin("http", "many.example", 80))).read(2) == b"ok"
            assert time.perf_counter() - start > 0.2
            await client.close()
        for sock in knocking:
            sock.close()


async def test_if_none_answers_the_call_fails() -> None:
    client = Client(Known(refusing(), refusing()))
    with pytest.raises(ConnectFailed, match=r"http://many\.example:80: cannot connect"):
        await get(client, Origin("http", "many.example", 80))
    await client.close()


def ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def test_ipv6(client: Client) -> None:
    require(ipv6(), "an IPv6 loopback address", "sysctl net.ipv6.conf.lo.disable_ipv6=0")
    async with RawServer(always(OK), host="::1") as server:
        response = await get(client, server.origin)
        assert await response.read(2) == b"ok"
        assert b"host: [::1]:%d\r\n" % server.port in server.peers[0].heads[0]
