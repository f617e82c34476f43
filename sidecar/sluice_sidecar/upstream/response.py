"""An upstream's answer, whole or as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice_sidecar.upstream.errors import TooLarge, UpstreamError

if TYPE_CHECKING:
    from sluice_sidecar.upstream.connection import Connection


class Response:
    """Status, headers and a body that may still be on its way; one reader.

    `headers`: names in lower case, values as they came, order and repeats kept. Cancelling the task that reads aborts
    the connection at once. A response that is neither read to its end nor aborted keeps its connection until the
    call's total timeout.
    """

    __slots__ = ("_connection", "_error", "_rest", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], connection: Connection) -> None:
        self.status = status
        self.headers = headers
        self._connection: Connection | None = connection  # None once the body is complete or has failed
        self._error: UpstreamError | None = None
        self._rest = b""

    def header(self, name: bytes) -> bytes | None:
        """The first value of the header `name` (lower case), None without one."""
        for given, value in self.headers:
            if given == name:
                return value
        return None

    async def read(self, limit: int) -> bytes:
        """The whole body, or what of it was not read yet. A body of more than `limit` bytes is aborted: TooLarge."""
        if self._connection is None and self._error is None:
            body, self._rest = self._rest, b""
            if len(body) > limit:
                raise TooLarge(f"the answer's body has {len(body)} bytes, {limit} are allowed", before_head=False)
            return body
        parts: list[bytes] = []
        size = 0
        async for chunk in self:
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                self.abort()
                raise TooLarge(f"the answer's body has more than the {limit} bytes allowed", before_head=False)
        return b"".join(parts)

    def __aiter__(self) -> Response:
        """The body as it comes; chunks that waited together come joined. Unread bytes hold the upstream back."""
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._rest:
                chunk, self._rest = self._rest, b""
                return chunk
            connection = self._connection
            if connection is None:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            chunk = connection.take()
            if chunk:
                return chunk
            change = connection.changed()
            try:
                await change
            except BaseException:
                self.abort()
                raise

    def abort(self) -> None:
        """Closes the connection unless the body was complete: then it is back in its pool already. Idempotent."""
        if self._connection is not None:
            self._connection.fail(UpstreamError("the answer was aborted by its reader", before_head=False))

    def end(self, rest: bytes, error: UpstreamError | None = None) -> None:
        """For the connection: `rest` is the last of the body, `error` what ended it early."""
        self._rest = rest
        self._error = error
        self._connection = None
