"""The ASGI edge: a request's body in, an answer out, and notice when the caller leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from sluice_sidecar.ask import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")

BODY_TIMEOUT = 60.0
"""Seconds that a request's body may take to arrive."""


class CallerLeft(Exception):  # noqa: N818  (an event, not a fault)
    """The caller closed the connection before its request was complete."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises Problem(413) over `limit` bytes, Problem(408) when it trickles, CallerLeft."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > limit):
            raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerLeft
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _rest(body, receive, limit)
    except TimeoutError:
        raise Problem(408, "body_timeout", f"The body did not arrive within {BODY_TIMEOUT:.0f} s.") from None


async def _rest(first: bytes, receive: Receive, limit: int) -> bytes:
    body, more = bytearray(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerLeft
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> Problem:
    return Problem(413, "request_too_large", f"The body is larger than the {limit} bytes that this gateway accepts.")


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """An answer in one piece."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_frames(send: Send, headers: Headers, frames: Iterable[bytes]) -> None:
    """A finished stream, as a stream."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for frame in frames:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
