"""An API server behind a proxy whose watches can fall silent: their connections stay open, and nothing comes of them.

The proxy ends TLS to see which requests are watches, and speaks to the API server as its administrator.
"""

import asyncio
import base64
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from doubles.admission import made
from doubles.kube import Api
from sluice_operator.admission.tls import ca_bundle


class Silencer:
    """Passes everything on until `silence`; then what watches hear ends there, and all else goes on."""

    def __init__(self, target: int, upstream: ssl.SSLContext) -> None:
        self._target, self._upstream = target, upstream
        self._silent = False
        self._open: set[asyncio.Task[None]] = set()
        self.watched: set[str] = set()
        """Paths of the watches that began before the silence: what comes after it they would have told."""
        self.swallowed = 0
        """Pieces of watches that were kept back."""

    def silence(self) -> None:
        """From now on no watch says anything, whether it is there already or begins later."""
        self._silent = True

    async def close(self) -> None:
        """Ends all connections."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        watches = False

        def request(data: bytes) -> bool:
            nonlocal watches
            line = data.partition(b"\r\n")[0]
            if line.endswith(b" HTTP/1.1"):
                watches = b"watch=" in line
                if watches and not self._silent:
                    self.watched.add(line.split(b" ")[1].partition(b"?")[0].decode())
            return True

        def answer(_data: bytes) -> bool:
            kept = watches and self._silent
            self.swallowed += kept
            return not kept

        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, ssl=self._upstream)
            writers.append(far_writer)
            await asyncio.gather(_pass(reader, far_writer, request), _pass(far_reader, writer, answer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.close()
                with suppress(OSError):
                    await each.wait_closed()
            self._open.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, goes: Callable[[bytes], bool]) -> None:
    while data := await reader.read(65536):
        if goes(data):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def silencing(api: Api, folder: Path) -> AsyncIterator[tuple[Silencer, Path]]:
    """The proxy, and a kubeconfig by which clients reach the API server through it."""
    config: dict[str, Any] = yaml.safe_load(api.kubeconfig.read_text())
    certificates = made()  # for localhost
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(_file(folder, (certificates.leaf.key + certificates.leaf.cert).encode()))
    (cluster,), (user,) = config["clusters"], config["users"]
    given = {name: base64.b64decode(value) for name, value in user["user"].items()}
    upstream = ssl.create_default_context(
        cadata=base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    )
    upstream.load_cert_chain(_file(folder, given["client-key-data"] + given["client-certificate-data"]))
    silencer = Silencer(api.layout.port, upstream)
    server = await asyncio.start_server(silencer.connected, "127.0.0.1", 0, ssl=own)
    port = server.sockets[0].getsockname()[1]
    cluster["cluster"] = {
        "server": f"https://localhost:{port}",
        "certificate-authority-data": base64.b64encode(ca_bundle(certificates).encode()).decode(),
    }
    user["user"] = {}
    path = folder / "silencing"
    path.write_text(yaml.safe_dump(config))
    try:
        yield silencer, path
    finally:
        server.close()
        await silencer.close()


def _file(folder: Path, pem: bytes) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem", delete=False) as file:
        file.write(pem)
    return Path(file.name)
