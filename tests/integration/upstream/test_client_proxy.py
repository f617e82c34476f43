"""Calls go through the proxy: by CONNECT to https upstreams, in absolute-form to http ones; or they fail in words."""

import asyncio
import ssl
from pathlib import Path

import pytest

from doubles.calls import get, post
from doubles.certificates import Authority, server_side
from doubles.egress_proxy import EgressProxy
from doubles.raw_server import OK, RawServer, always, stalling
from sluice_sidecar.config import Egress
from sluice_sidecar.upstream.client import Client, ConnectFailed, EgressDenied, Origin, ProxyRefused
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.reach import reach

NAME = "models.example.invalid"
"""A name that nobody here can resolve, so that only the proxy's answer can lead to it."""
HTTPS, HTTP = Origin("https", NAME, 443), Origin("http", NAME, 80)
BOTH = pytest.mark.parametrize("origin", [HTTPS, HTTP], ids=["https", "http"])


def through(proxy: EgressProxy, bundle: Path | None = None) -> Client:
    """A client of a gateway whose egress says `proxy`; loopback is allowed for the proxy's own address."""
    egress = Egress(proxy=proxy.url, ca_bundle=bundle is not None)
    return Client(reach(egress, bundle=bundle, loopback=True))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "ca.crt"


@pytest.fixture
def serving(tmp_path: Path, bundle: Path) -> ssl.SSLContext:
    """A server's side for NAME, whose authority is in `bundle`."""
    authority = Authority()
    bundle.write_bytes(authority.pem)
    return server_side(tmp_path / "server", authority.sign(NAME))


async def test_https_goes_by_connect_and_tls_ends_at_the_upstream(serving: ssl.SSLContext, bundle: Path) -> None:
    async with RawServer(always(OK), tls=serving) as up, EgressProxy({f"{NAME}:443": up.port}) as proxy:
        client = through(proxy, bundle)
        for _ in range(3):
            assert await (await post(client, HTTPS)).read(2) == b"ok"
        assert proxy.lines == [f"CONNECT {NAME}:443 HTTP/1.1".encode()]  # one tunnel, kept
        assert up.peers[0].heads[0].startswith(f"POST /v1/x HTTP/1.1\r\nhost: {NAME}\r\n".encode())
        await client.close()


async def test_a_tunnel_does_not_soften_what_is_trusted(serving: ssl.SSLContext) -> None:
    async with RawServer(always(OK), tls=serving) as up, EgressProxy({f"{NAME}:443": up.port}) as proxy:
        client = through(proxy)
        with pytest.raises(ConnectFailed, match="certificate is not trusted"):
            await get(client, HTTPS)
        assert up.peers == []
        await client.close()


async def test_http_goes_in_absolute_form() -> None:
    origin = Origin("http", NAME, 8080)
    async with RawServer(always(OK)) as up, EgressProxy({f"{NAME}:8080": up.port}) as proxy:
        client = through(proxy)
        for _ in range(2):
            assert await (await post(client, origin)).read(2) == b"ok"
        assert proxy.lines == [f"POST http://{NAME}:8080/v1/x HTTP/1.1".encode()]
        assert f"host: {NAME}:8080".encode() in up.peers[0].heads[0]
        await client.close()


@BOTH
async def test_a_proxy_that_asks_who_is_calling_is_told_of(origin: Origin) -> None:
    answer = b'HTTP/1.1 407 Who\r\nproxy-authenticate: Basic realm="x"\r\ncontent-length: 0\r\n\r\n'
    async with EgressProxy(answer=answer) as proxy:
        client = through(proxy)
        with pytest.raises(ProxyRefused, match=rf"{NAME}.* through proxy http://127.*407"):
            await get(client, origin)
        await client.close()


async def test_a_proxy_that_refuses_a_tunnel_is_told_of() -> None:
    async with EgressProxy(answer=b"HTTP/1.1 403 Not there\r\ncontent-length: 0\r\n\r\n") as proxy:
        client = through(proxy)
        with pytest.raises(ProxyRefused, match="answered 403 Not there") as caught:
            await get(client, HTTPS)
        assert caught.value.before_head
        await client.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "could not connect: 502 Bad Gateway"),
        (b"SSH-2.0-x\r\n\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "closed the connection before it answered"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "sent more than its answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"x" * 40_000, "exceeds 16384 bytes"),
    ],
)
async def test_a_tunnel_that_cannot_be_had_may_be_tried_again(answer: bytes, said: str) -> None:
    async with EgressProxy(answer=answer) as proxy:
        client = through(proxy)
        with pytest.raises(ConnectFailed, match=said):
            await get(client, HTTPS)
        await client.close()


async def test_what_the_proxy_answers_for_an_http_upstream_is_its_answer() -> None:
    async with EgressProxy(answer=b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n") as proxy:
        client = through(proxy)
        assert (await get(client, HTTP)).status == 502
        await client.close()


@BOTH
async def test_a_proxy_that_is_away_is_told_of(origin: Origin) -> None:
    async with EgressProxy() as proxy:
        client = through(proxy)
    with pytest.raises(ConnectFailed, match=r"through proxy http://127.*cannot connect"):
        await get(client, origin)
    await client.close()


async def test_a_proxy_needs_no_leave_at_a_private_address_and_its_target_does() -> None:
    guard = reach(Egress(proxy="http://10.1.2.3:3128"))
    assert await guard.addresses("10.1.2.3", 3128) == [("10.1.2.3", 3128)]
    with pytest.raises(EgressDenied):
        await guard.addresses("10.1.2.3", 3129)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254"])
async def test_an_address_that_may_not_be_called_never_reaches_the_proxy(address: str) -> None:
    async with EgressProxy() as proxy:
        client = through(proxy)
        with pytest.raises(EgressDenied):
            await get(client, Origin("http", address, 80))
        assert proxy.lines == []
        await client.close()


async def test_what_is_inside_is_called_directly() -> None:
    async with RawServer(always(OK)) as up, EgressProxy() as proxy:
        client = through(proxy)
        for host in ("127.0.0.1", "localhost"):
            assert (await get(client, Origin("http", host, up.port))).status == 200
        assert proxy.lines == []
        await client.close()


async def test_a_call_cancelled_while_the_proxy_thinks_is_gone_at_once() -> None:
    async with EgressProxy(answer=b"") as proxy:
        client = through(proxy)
        call = asyncio.create_task(get(client, HTTPS))
        await proxy.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(60):
            await proxy.left.wait()
        await client.close()


@BOTH
async def test_a_call_cancelled_beyond_the_proxy_is_gone_there_too(
    origin: Origin, serving: ssl.SSLContext, bundle: Path
) -> None:
    tls = serving if origin.scheme == "https" else None
    async with RawServer(stalling(), tls=tls) as up, EgressProxy({f"{NAME}:443": up.port, NAME: up.port}) as proxy:
        client = through(proxy, bundle)
        call = asyncio.create_task(post(client, origin))
        async with asyncio.timeout(60):
            while not up.peers:
                await asyncio.sleep(0.001)
            await up.peers[0].got_request.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await up.peers[0].gone.wait()
        await client.close()


@BOTH
async def test_a_client_that_closes_ends_calls_through_the_proxy(
    origin: Origin, serving: ssl.SSLContext, bundle: Path
) -> None:
    tls = serving if origin.scheme == "https" else None
    async with RawServer(stalling(), tls=tls) as up, EgressProxy({f"{NAME}:443": up.port, NAME: up.port}) as proxy:
        client = through(proxy, bundle)
        call = asyncio.create_task(post(client, origin))
        async with asyncio.timeout(60):
            while not up.peers:
                await asyncio.sleep(0.001)
            await up.peers[0].got_request.wait()
            await client.close()
            with pytest.raises(UpstreamError, match="closed"):
                await call
