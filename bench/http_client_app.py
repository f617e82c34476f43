"""A raw ASGI proxy with nothing in it but an HTTP client, to compare clients with; also a bare answer without one.

Environment: CLIENT (sluice, pyqwest, pyreqwest, none), UPSTREAM (http://host:port).
"""

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Forward = Callable[[Message, bytes, Send], Awaitable[None]]

UPSTREAM = os.environ["UPSTREAM"]
HOP = frozenset(
    {b"connection", b"keep-alive", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"host", b"content-length"}
)
ANSWER_HOP = frozenset({b"connection", b"transfer-encoding"})
END: Message = {"type": "http.response.body", "body": b""}


def none() -> Forward:
    """Answers itself: what the server alone costs."""
    body = b"x" * 1024
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]

    async def forward(scope: Message, request: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return forward


def sluice() -> Forward:
    from sluice_sidecar.upstream.client import Client, Timeouts, parse_url
    from sluice_sidecar.upstream.guard import Guard

    client = Client(Guard(loopback=True))
    origin, _ = parse_url(UPSTREAM)
    timeouts = Timeouts(5, 120, 600)

    async def forward(scope: Message, request: bytes, send: Send) -> None:
        headers = [header for header in scope["headers"] if header[0] not in HOP]
        response = await client.send(origin, scope["method"].encode(), scope["raw_path"], headers, request, timeouts)
        out = [header for header in response.headers if header[0] not in ANSWER_HOP]
        await send({"type": "http.response.start", "status": response.status, "headers": out})
        async for chunk in response:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send(END)

    return forward


def pyqwest() -> Forward:
    library = importlib.import_module("pyqwest")
    transport = library.HTTPTransport(
        http_version=library.HTTPVersion.HTTP1, connect_timeout=5, read_timeout=120, pool_idle_timeout=15, proxy=None,
        enable_gzip=False, enable_brotli=False, enable_zstd=False, follow_redirects=False, enable_otel=False,
    )  # fmt: skip
    client = library.Client(transport)

    async def forward(scope: Message, request: bytes, send: Send) -> None:
        headers = library.Headers(_text(scope["headers"]))
        async with client.stream(scope["method"], UPSTREAM + scope["path"], headers, request or None) as response:
            out = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
            out = [header for header in out if header[0] not in ANSWER_HOP]
            await send({"type": "http.response.start", "status": response.status, "headers": out})
            async for chunk in response.content:
                await send({"type": "http.response.body", "body": bytes(chunk), "more_body": True})
        await send(END)

    return forward


def pyreqwest() -> Forward:
    from datetime import timedelta

    library = importlib.import_module("pyreqwest.client")
    client: Any = None

    async def forward(scope: Message, request: bytes, send: Send) -> None:
        nonlocal client
        if client is None:
            builder = library.ClientBuilder().no_proxy().http1_only().gzip(False).brotli(False).zstd(False)
            builder = builder.deflate(False).follow_redirects(False).connect_timeout(timedelta(seconds=5))
            client = builder.read_timeout(timedelta(seconds=120)).pool_idle_timeout(timedelta(seconds=15)).build()
        call = client.request(scope["method"], UPSTREAM + scope["path"]).headers(_text(scope["headers"]))
        call = call.streamed_read_buffer_limit(0).body_bytes(request)
        async with call.build_streamed() as response:
            out = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
            out = [header for header in out if header[0] not in ANSWER_HOP]
            await send({"type": "http.response.start", "status": response.status, "headers": out})
            while (chunk := await response.body_reader.read_chunk()) is not None:
                await send({"type": "http.response.body", "body": bytes(chunk), "more_body": True})
        await send(END)

    return forward


def _text(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(k.decode("latin-1"), v.decode("latin-1")) for k, v in headers if k not in HOP]


CLIENTS: dict[str, Callable[[], Forward]] = {
    "none": none, "sluice": sluice, "pyqwest": pyqwest, "pyreqwest": pyreqwest,
}  # fmt: skip
forward_with = CLIENTS[os.environ["CLIENT"]]()


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """The same for every client: read the body, forward, cancel when whoever asked has left."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    if forward_with.__qualname__.startswith("none"):
        await forward_with(scope, body, send)
        return
    gone = asyncio.ensure_future(_cancel_when_gone(receive, asyncio.current_task()))
    try:
        await forward_with(scope, body, send)
    except asyncio.CancelledError:
        pass  # nobody is left to answer
    finally:
        gone.cancel()


async def _cancel_when_gone(receive: Receive, task: "asyncio.Task[Any] | None") -> None:
    await receive()  # after the body: returns only when the caller has left
    if task is not None:
        task.cancel()
