"""The stand-in for a Qdrant server, on a real socket in this process: `async with standing_in(folder) as server`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from e2e.images.qdrant_stand_in import StandIn


class Standing:
    """A stand-in on loopback; `port` stays the same over restarts."""

    def __init__(self, folder: Path, api_key: str | None = None) -> None:
        self.folder, self.api_key = folder, api_key
        self.app = StandIn(folder, api_key)
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serves; returns once it listens."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio then sets TCP_NODELAY
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        sock.listen()
        self.port = sock.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", lifespan="off"))
        self._serving = asyncio.create_task(self._server._serve(sockets=[sock]))

    async def stop(self) -> None:
        """Closes every connection; what it holds stays."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._server = self._serving = None


@asynccontextmanager
async def standing_in(folder: Path, api_key: str | None = None) -> AsyncIterator[Standing]:
    """One, serving."""
    server = Standing(folder, api_key)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        server.app.close()
