"""A receiver of webhooks on a real socket: verifies every signature as OpenAI's SDK does, and answers as it is told."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import openai
import orjson

from doubles.raw_server import Peer, RawServer
from sluice_sidecar.batch.webhooks import Key

ANY_TIME = 10**10
"""Seconds that a timestamp may be off: the clock of tests is not the machine's."""

HANG = b""
"""An answer that never comes."""


def answer(status: int, *lines: str) -> bytes:
    """A whole answer without a body."""
    head = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 {status} x\r\n{head}content-length: 0\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Got:
    """One delivery whose signature was good."""

    id: str
    timestamp: int
    body: bytes
    path: str
    headers: dict[str, str]

    @property
    def event(self) -> Any:
        """What it tells."""
        return orjson.loads(self.body)


class Receiver:
    """Answers the n-th delivery with the n-th of `answers`, and all later ones with the last."""

    def __init__(self, key: Key, *answers: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._secret = "whsec_" + base64.b64encode(key.secret).decode()
        self._answers = list(answers) or [answer(204)]
        self._server = RawServer(self._handle, tls=tls)
        self._client = openai.OpenAI(api_key="none")
        self.got: list[Got] = []
        self._arrived = asyncio.Event()

    @property
    def secret(self) -> str:
        """The key as a Secret has it."""
        return self._secret

    @property
    def port(self) -> int:
        return self._server.port

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once it holds, looked at after each delivery."""
        while not condition():
            self._arrived.clear()
            await self._arrived.wait()

    async def _handle(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            first, *lines = head.decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            self._client.webhooks.verify_signature(body, headers, secret=self._secret, tolerance=ANY_TIME)
            number = len(self.got)
            self.got.append(
                Got(headers["webhook-id"], int(headers["webhook-timestamp"]), body, first.split(" ")[1], headers)
            )
            self._arrived.set()
            said = self._answers[min(number, len(self._answers) - 1)]
            if said == HANG:
                await peer.watch()
                return
            await peer.send(said)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        await self._server.__aexit__(kind, error, trace)
