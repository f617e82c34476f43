"""What workers send each other.

A frame is two lengths (head, blob; 4 bytes each, big-endian), a JSON head and a blob of bytes.
A question's head is [number, operation, arguments...], an answer's [number, result] or [number, null, error]. From
worker 0 comes [0, count] on connecting, and [0, count, policy, tenant, key] for each purge; count is that of purges.
"""

import asyncio
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

FRAME_BYTES = 16_777_216
"""A longer frame ends the connection."""

LENGTHS = struct.Struct(">II")


def frame(head: list[Any], blob: bytes = b"") -> bytes:
    """The bytes of one frame."""
    text = orjson.dumps(head)
    return LENGTHS.pack(len(text), len(blob)) + text + blob


async def read(reader: asyncio.StreamReader) -> tuple[list[Any], bytes]:
    """One frame. Raises OSError, EOFError (IncompleteReadError) or ValueError when the other side is no peer."""
    head, blob = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
    if head + blob > FRAME_BYTES:
        raise ValueError(f"a frame of {head + blob} bytes")
    parsed = orjson.loads(await reader.readexactly(head))
    if not isinstance(parsed, list) or not parsed:
        raise ValueError("a frame without a head")
    return parsed, await reader.readexactly(blob)


class Place:
    """The socket's path through its folder's descriptor: such a path never exceeds a socket's 107 bytes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.path = f"/proc/self/fd/{self._folder}/{path.name}"

    def listen(self) -> socket.socket:
        """A socket bound there, for this user alone; one that a killed process left is replaced. Raises OSError."""
        self.remove()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(self.path)
        Path(self.path).chmod(0o600)
        return sock

    def remove(self) -> None:
        """Takes the socket's file away."""
        with suppress(FileNotFoundError):
            Path(self.path).unlink()

    def close(self) -> None:
        """Lets go of the folder."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
