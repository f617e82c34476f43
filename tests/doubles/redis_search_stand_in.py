"""A stand-in for a managed Redis with RediSearch and without vector sets, before a real Redis.

It passes every command on, byte for byte, but refuses those of vector sets and answers the few of RediSearch that the
store sends, from the hashes of the server behind it. `async with SearchRedis(server) as port`. It is no RediSearch: it
knows one form of query, and lies when it is told to (`lies`: it ignores the tag).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

import numpy as np
import redis.asyncio as redis

from doubles.redis_server import RunningRedis

QUERY = re.compile(
    rb"\(@scope:\{([0-9a-f]+)\} @expires:\[\(([0-9.e+]+) \+inf\]\)=>\[KNN (\d+) @vector \$near AS away\]"
)


class SearchRedis:
    """See above."""

    def __init__(self, server: RunningRedis) -> None:
        self.lies = False
        self.searches = True
        """Whether it knows RediSearch's commands."""
        self.port = 0
        self.asked: list[bytes] = []
        """Names of the commands that it answered itself."""
        self._server = server
        self._indexes: dict[bytes, tuple[bytes, int]] = {}
        self._listening: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "SearchRedis":
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        behind, beyond = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            while True:
                raw, words = await _command(reader)
                own = self._own(words)
                if own is None:
                    beyond.write(raw)
                    writer.write(await _reply(behind))
                else:
                    writer.write(await own())
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            beyond.close()
            self._tasks.discard(task)

    def _own(self, words: list[bytes]) -> Callable[[], Awaitable[bytes]] | None:
        name = words[0].upper()
        if name.startswith(b"V") or (name.startswith(b"FT.") and not self.searches):
            return lambda: _said(b"-ERR unknown command '%b', with args beginning with: \r\n" % words[0])
        if not name.startswith(b"FT."):
            return None
        self.asked.append(name)
        if name == b"FT._LIST":
            return lambda: _said(b"*%d\r\n" % len(self._indexes) + b"".join(map(_bulk, self._indexes)))
        if name == b"FT.CREATE":
            return lambda: _said(self._create(words))
        assert name == b"FT.SEARCH", words
        return lambda: self._search(words)

    def _create(self, words: list[bytes]) -> bytes:
        assert words[2:6] == [b"ON", b"HASH", b"PREFIX", b"1"], words
        assert words[7:15] == [b"SCHEMA", b"scope", b"TAG", b"expires", b"NUMERIC", b"vector", b"VECTOR", b"FLAT"]
        assert words[15:] == [b"6", b"TYPE", b"FLOAT32", b"DIM", words[19], b"DISTANCE_METRIC", b"COSINE"], words
        if words[1] in self._indexes:
            return b"-Index already exists\r\n"
        self._indexes[words[1]] = words[6], int(words[19])
        return b"+OK\r\n"

    async def _search(self, words: list[bytes]) -> bytes:
        if words[1] not in self._indexes:
            return b"-%b: no such index\r\n" % words[1]
        match = QUERY.fullmatch(words[2])
        assert match is not None, words[2]
        assert words[3:6] == [b"PARAMS", b"2", b"near"], words
        assert words[7:] == [
            b"SORTBY", b"away", b"RETURN", b"1", b"away", b"LIMIT", b"0", match[3], b"DIALECT", b"2"
        ], words  # fmt: skip
        prefix, width = self._indexes[words[1]]
        asked = np.frombuffer(words[6], "<f4")
        assert len(asked) == width
        client = redis.Redis(port=self._server.port)
        found = []
        try:
            keys = [key async for key in client.scan_iter(match=prefix + b"*", count=1000)]
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, ["scope", "expires", "vector"])
            for key, (scope, expires, vector) in zip(keys, await pipeline.execute(), strict=True):
                if vector and (self.lies or scope == match[1]) and float(expires) > float(match[2]):
                    found.append((1.0 - float(np.frombuffer(vector, "<f4") @ asked), key))
        finally:
            await client.aclose()
        nearest = sorted(found)[: int(match[3])]
        rows = b"".join(_bulk(key) + b"*2\r\n" + _bulk(b"away") + _bulk(b"%.12g" % away) for away, key in nearest)
        return b"*%d\r\n:%d\r\n" % (1 + 2 * len(nearest), len(nearest)) + rows


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


async def _said(answer: bytes) -> bytes:
    return answer


async def _command(reader: asyncio.StreamReader) -> tuple[bytes, list[bytes]]:
    """One command as it came, and its words."""
    head = await reader.readuntil(b"\r\n")
    raw, words = [head], []
    for _ in range(int(head[1:])):
        size = await reader.readuntil(b"\r\n")
        word = await reader.readexactly(int(size[1:]) + 2)
        raw += [size, word]
        words.append(word[:-2])
    return b"".join(raw), words


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """One answer as it came (RESP 2)."""
    head = await reader.readuntil(b"\r\n")
    kind, rest = head[:1], head[1:-2]
    if kind == b"$" and rest != b"-1":
        return head + await reader.readexactly(int(rest) + 2)
    if kind == b"*" and rest != b"-1":
        return head + b"".join([await _reply(reader) for _ in range(int(rest))])
    return head
