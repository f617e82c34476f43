"""The data port in TLS: with the files' certificate, also after they changed, and with all that plain HTTP has."""

import asyncio
import re
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from doubles.behaviours import stall, text
from doubles.certificates import Authority, write_pair
from doubles.running import PATIENCE, ROOT
from doubles.scripted import Scripted
from doubles.serve import backend, config, route, serving
from sluice_sidecar.certificate import Certificate
from sluice_sidecar.server import App, Listener

HELLO: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """In the loop that the gateway runs in, and in asyncio's own."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """A mounted Secret with a pair for localhost."""
    folder = tmp_path / "tls"
    write_pair(folder, authority.sign("localhost"))
    return folder


def trusting(*authorities: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata="".join(one.pem.decode() for one in authorities))


@asynccontextmanager
async def secure(app: App, folder: Path) -> AsyncIterator[int]:
    """The port of `app` in TLS."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    listener = Listener(app, sock, tls=Certificate(folder).context)
    await listener.start()
    try:
        yield listener.address[1]
    finally:
        listener.stop_accepting()
        await listener.drain(1.0)


async def names(port: int, *authorities: Authority) -> set[str]:
    """For whom the certificate is that a new connection is shown."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting(*authorities), server_hostname="localhost"
    )
    shown = writer.get_extra_info("peercert")["subjectAltName"]
    writer.close()
    await writer.wait_closed()
    return {name for _, name in shown}


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nobody asked")


async def test_answers_and_streams_come_through_tls(folder: Path, authority: Authority) -> None:
    async with Scripted() as up, serving(config(route([backend(up.url)]))) as served:
        up.otherwise(text("Hello in secret"))
        async with (
            secure(served.gateway.asgi, folder) as port,
            httpx.AsyncClient(
                verify=trusting(authority), trust_env=False, base_url=f"https://localhost:{port}"
            ) as client,
        ):
            answer = await client.post("/v1/chat/completions", json=HELLO)
            assert answer.json()["choices"][0]["message"]["content"] == "Hello in secret"
            stream = await client.post("/v1/chat/completions", json={**HELLO, "stream": True})
            assert stream.text.rstrip().endswith("data: [DONE]")
            big = {**HELLO, "messages": [{"role": "user", "content": "x" * 2_000_000}]}
            assert (await client.post("/v1/chat/completions", json=big)).status_code == 200


async def test_a_caller_that_leaves_takes_the_upstream_call_with_it(folder: Path, authority: Authority) -> None:
    async with Scripted() as up, serving(config(route([backend(up.url)]))) as served:
        up.otherwise(stall())
        async with (
            secure(served.gateway.asgi, folder) as port,
            httpx.AsyncClient(verify=trusting(authority), trust_env=False, timeout=PATIENCE) as client,
        ):
            call = asyncio.create_task(client.post(f"https://localhost:{port}/v1/chat/completions", json=HELLO))
            async with asyncio.timeout(PATIENCE):
                await up.arrived(1)
                call.cancel()
                await up.requests[0].gone.wait()


async def test_a_rotated_certificate_is_shown_to_the_next_caller(folder: Path, authority: Authority) -> None:
    async with secure(nothing, folder) as port:
        assert await names(port, authority) == {"localhost"}
        other = Authority("another")
        write_pair(folder, other.sign("localhost", "new.example.com"))
        assert await names(port, other) == {"localhost", "new.example.com"}
        with pytest.raises(ssl.SSLCertVerificationError):
            await names(port, authority)
        write_pair(folder, authority.sign("localhost", "again.example.com"))
        assert await names(port, authority) == {"localhost", "again.example.com"}


async def test_a_broken_certificate_leaves_the_old_one_in_place(
    folder: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with secure(nothing, folder) as port:
        write_pair(folder, (authority.sign("localhost", "b")[0], authority.sign("localhost", "c")[1]))
        for _ in range(2):
            assert await names(port, authority) == {"localhost"}
        assert caplog.text.count("the new certificate is broken, the old one stays") == 1
        write_pair(folder, authority.sign("localhost", "whole"))
        assert await names(port, authority) == {"localhost", "whole"}


async def test_plain_http_gets_no_answer_on_the_tls_port(folder: Path) -> None:
    async with secure(nothing, folder) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            assert b"HTTP/" not in await reader.read()
        writer.close()


async def test_old_versions_of_tls_are_refused(folder: Path, authority: Authority) -> None:
    old = trusting(authority)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with secure(nothing, folder) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=old, server_hostname="localhost")


@pytest.mark.parametrize("broken", ["", "no certificate"])
def test_without_a_pair_there_is_no_tls(tmp_path: Path, broken: str) -> None:
    if broken:
        (tmp_path / "tls.crt").write_text(broken)
        (tmp_path / "tls.key").write_text(broken)
    with pytest.raises(ValueError, match=r"cannot speak TLS: .* needs tls\.crt and tls\.key"):
        Certificate(tmp_path)


async def test_the_process_serves_both_ports_and_drains_both(folder: Path, authority: Authority) -> None:
    async with Scripted() as up:
        up.otherwise(text("Hello"))
        served = folder.parent / "config.json"
        served.write_bytes(config(route([backend(up.url)])).to_json())
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_sidecar.main", "--config", str(served), "--port", "0", "--admin-port", "0"),
            *("--tls", str(folder), "--tls-port", str(port), "--allow-loopback", "--report"),
            env={"PYTHONPATH": str(ROOT / "sidecar")},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with (
            asyncio.timeout(PATIENCE),
            httpx.AsyncClient(verify=trusting(authority), trust_env=False, timeout=PATIENCE) as client,
        ):
            try:
                while not (ready := re.match(rb"READY (\S+) (\d+)", line := await process.stdout.readline())):
                    assert line, "the gateway ended"
                for url in (f"http://127.0.0.1:{int(ready[2])}", f"https://localhost:{port}"):
                    assert (await client.post(f"{url}/v1/chat/completions", json=HELLO)).status_code == 200
            finally:
                process.send_signal(signal.SIGTERM)
                assert await process.wait() == 0
