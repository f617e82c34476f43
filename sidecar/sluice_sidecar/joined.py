"""An answer's head and the first of its body in one write.

uvicorn writes them apart, which is two system calls: a tenth of what a short answer costs.
"""

import asyncio
from typing import Any

HEAD = b"HTTP/1.1 "
CONTINUE = b"HTTP/1.1 100"


class JoinedWrites(asyncio.Transport):
    """The transport `beneath`; what looks like an answer's head waits for the next write, `flush` or `close`."""

    def __init__(self, beneath: asyncio.Transport) -> None:
        self._beneath, self._held = beneath, b""
        self._write = beneath.write
        # What is called for every request goes straight through.
        self.is_closing = beneath.is_closing  # type: ignore[method-assign]
        self.pause_reading = beneath.pause_reading  # type: ignore[method-assign]
        self.resume_reading = beneath.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes now what was held and `data`, or holds `data`, a head, back."""
        if self._held:
            held, self._held = self._held, b""
            self._write(held + data)
        elif data[:9] == HEAD and data[:12] != CONTINUE:
            self._held = bytes(data)
        else:
            self._write(data)

    def flush(self) -> None:
        """Writes what was held: the answer has no body."""
        if self._held:
            held, self._held = self._held, b""
            self._write(held)

    def close(self) -> None:
        """Flushes, then closes."""
        self.flush()
        self._beneath.close()

    def abort(self) -> None:
        """Closes at once, what was held is lost."""
        self._beneath.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Of the transport beneath."""
        return self._beneath.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Of the transport beneath."""
        self._beneath.set_protocol(protocol)

    def get_write_buffer_size(self) -> int:
        """Bytes that the transport beneath still has to write."""
        return self._beneath.get_write_buffer_size()
