"""TLS is verified, by name, and can be left as quickly as any other call."""

import asyncio
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from doubles.calls import get
from doubles.components import program
from doubles.raw_server import OK, Peer, RawServer, always
from sluice_sidecar.upstream.client import Client, ConnectFailed, Origin
from sluice_sidecar.upstream.guard import Guard


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem and cert.pem, self-signed for localhost."""
    openssl = program("openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def serving(certificate: Path) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's side that knows the certificate."""
    context = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    context.set_alpn_protocols(["http/1.1"])
    return context


async def test_a_trusted_server_is_spoken_to_by_http_1(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    names: list[str | None] = []
    serving.sni_callback = lambda _, name, __: names.append(name)
    client = Client(Guard(loopback=True), ssl_context=trusting)
    async with RawServer(always(OK), tls=serving) as server:
        for _ in range(3):
            response = await get(client, Origin("https", "localhost", server.port))
            assert await response.read(2) == b"ok"
        (peer,) = server.peers
        assert peer.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        assert names == ["localhost"]
        await client.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(client: Client, serving: ssl.SSLContext) -> None:
    async with RawServer(always(OK), tls=serving) as server:
        with pytest.raises(ConnectFailed, match="certificate is not trusted") as caught:
            await get(client, Origin("https", "localhost", server.port))
        assert caught.value.before_head
        assert server.peers == []


async def test_a_certificate_of_another_name_is_refused(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    client = Client(Guard(loopback=True), ssl_context=trusting)
    async with RawServer(always(OK), tls=serving) as server:
        with pytest.raises(ConnectFailed, match=r"certificate is not trusted.*127\.0\.0\.1"):
            await get(client, Origin("https", "127.0.0.1", server.port))
        assert server.peers == []
    await client.close()


async def test_a_server_without_tls_is_refused(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawServer(handler) as server:
        with pytest.raises(ConnectFailed, match=r"TLS failed|cannot connect"):
            await get(client, Origin("https", "localhost", server.port))


async def test_a_call_cancelled_in_the_handshake_is_gone_at_once(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.read(1)  # the client's hello, never answered
        peer.got_request.set()
        await peer.watch()

    async with RawServer(handler) as server:
        call = asyncio.create_task(get(client, Origin("https", "localhost", server.port)))
        while not server.peers:
            await asyncio.sleep(0.001)
        await server.peers[0].got_request.wait()
        start = time.perf_counter()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.wait_for(server.peers[0].gone.wait(), 30)
        assert time.perf_counter() - start < 3.0


async def test_a_call_cancelled_before_its_head_is_gone_at_once(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.watch()

    client = Client(Guard(loopback=True), ssl_context=trusting)
    async with RawServer(handler, tls=serving) as server:
        call = asyncio.create_task(get(client, Origin("https", "localhost", server.port)))
        while not server.peers:
            await asyncio.sleep(0.001)
        await server.peers[0].got_request.wait()
        start = time.perf_counter()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.wait_for(server.peers[0].gone.wait(), 30)
        assert time.perf_counter() - start < 3.0
    await client.close()
