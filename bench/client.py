"""A raw HTTP client whose own cost is small and the same on both paths: what one caller on one connection sees."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any, Self

import orjson


@dataclass(frozen=True)
class Seen:
    """One answer: milliseconds to the first byte of the body and to its end."""

    first: float
    last: float
    how: str


class Caller:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, url: str) -> Self:
        """A connection to `http://host:port`."""
        host, _, port = url.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, body: dict[str, Any], path: str = "/v1/chat/completions") -> Seen:
        """One POST and its whole answer."""
        raw = orjson.dumps(body)
        start = time.perf_counter()
        self.send(raw, path)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"bench: {head.decode('latin-1')}")
        if b"transfer-encoding: chunked" in head:
            first = 0.0
            while size := int(await self._reader.readline(), 16):
                await self._reader.readexactly(size + 2)
                first = first or time.perf_counter()
            await self._reader.readline()
        else:
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
            await self._reader.readexactly(1)
            first = time.perf_counter()
            await self._reader.readexactly(length - 1)
        end = time.perf_counter()
        how = head.partition(b"x-sluice-cache: ")[2].split(b"\r\n")[0].decode()
        return Seen((first - start) * 1e3, (end - start) * 1e3, how)

    def send(self, raw: bytes, path: str = "/v1/chat/completions") -> None:
        """The request alone."""
        self._writer.write(
            b"POST %b HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer bench-key\r\n"
            b"content-length: %d\r\n\r\n%b" % (path.encode(), len(raw), raw)
        )

    async def read(self, until: bytes) -> None:
        """Reads up to and with `until`."""
        await self._reader.readuntil(until)

    def close(self) -> None:
        """Leaves."""
        self._writer.close()


def spread(values: list[float]) -> dict[str, float]:
    """Median and tails, milliseconds."""
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered), 4),
        "p95": round(ordered[int(len(ordered) * 0.95)], 4),
        "p99": round(ordered[int(len(ordered) * 0.99)], 4),
    }
