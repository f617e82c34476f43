"""Deferred requests in an injected gateway, which keeps nothing: on to the shared gateway, as bytes, both ways.

PREFIX + the caller's own path is asked there with the pod's token, whose account is the tenant.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import message_batches
from sluice_sidecar.callers import pods_of, presented
from sluice_sidecar.cluster.credentials import RELAY
from sluice_sidecar.cluster.relay import Answering
from sluice_sidecar.cluster.tokens import Tokens
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.leave import LeaveWatch, Watches
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.headers import HOP_BY_HOP, Header
from sluice_sidecar.upstream.request import Incoming, Timeouts, parse_url
from sluice_sidecar.wire import CallerLeft, Receive, Scope, Send

PREFIX = "/-/deferred"
"""Before the path that a caller asked: /-/deferred/v1/batches."""
STILL = 60.0
"""Seconds for which a body may stand still."""
LONGEST = 6 * 3_600.0
"""Seconds of one call, progress as events included."""
_TIMES = Timeouts(connect=5.0, first_byte=330.0, total=LONGEST)  # a long poll waits 300 s at most

_OWN = HOP_BY_HOP | {
    b"host", b"content-length", b"expect", b"authorization", b"proxy-authorization", b"x-api-key", b"api-key",
    b"cookie", b"forwarded", b"via", b"x-real-ip",
}  # fmt: skip


class Parts(Protocol):
    """What of the gateway deferred requests are passed on with."""

    options: GatewayOptions
    courier: Courier
    watches: Watches


class PassOn:
    """An ASGI app, for a sidecar. Bodies go on as they come; a caller that leaves takes the call with it."""

    def __init__(self, parts: Parts, base: str) -> None:
        """`base`: the shared gateway's URL."""
        self._parts = parts
        self._origin, path = parse_url(base)
        self._base = path + PREFIX.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        call = Answering(send, _dialect(scope["path"]))
        watch = LeaveWatch(self._parts.watches, receive, LONGEST)
        try:
            with watch:
                try:
                    await self._pass(scope, receive, call, watch)
                except asyncio.CancelledError:
                    if not watch.struck:
                        raise
                    watch.absorb()
        except Problem as problem:
            await call.refuse(problem)
        except (UpstreamError, ValueError) as problem:
            message = f"Deferred requests are kept by the shared gateway, which did not answer: {problem}"
            await call.refuse(Problem(503, "queue_unavailable", message, retry_after=5))
        except CallerLeft:
            return

    async def _pass(self, scope: Scope, receive: Receive, call: Answering, watch: LeaveWatch) -> None:
        token = self._parts.options.credentials.get(RELAY.secret, RELAY.key)
        if token is None:
            raise Problem(503, "queue_unavailable", "The pod's token is not mounted yet: try again.", retry_after=5)
        headers: list[Header] = [(name, value) for name, value in scope["headers"] if name not in _OWN]
        headers.append((b"authorization", b"Bearer " + token.strip().encode()))
        query: bytes = scope.get("query_string", b"")
        target = self._base + (scope.get("raw_path") or scope["path"].encode()) + (b"?" + query if query else b"")
        length = _length(scope)
        body: bytes | Incoming = Incoming(length, _pieces(receive, watch)) if length else b""
        if not length:
            watch.arm()
        response = await self._parts.courier.client.send(
            self._origin, scope["method"].encode(), target, headers, body, _TIMES
        )
        try:
            watch.arm()  # where it answered before it had the whole body
            kept = [item for item in response.headers if item[0] not in HOP_BY_HOP]
            if response.status in (408, 413):
                kept.append((b"connection", b"close"))
            await call.begin(response.status, kept)
            async for chunk in response:
                await call.write(chunk)
            await call.end()
        finally:
            response.abort()


class Answers(Protocol):
    """Who answers deferred requests."""

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, tenant: str) -> None:
        """Answers what `tenant` asked at any path."""


class Taking:
    """An ASGI app for PREFIX, for the shared gateway: who asks is proven, then it is answered as any other request."""

    def __init__(self, answers: Answers, tokens: Tokens) -> None:
        self._answers, self._tokens = answers, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request that a sidecar passed on."""
        path = scope["path"].removeprefix(PREFIX)
        try:
            account = await self._tokens.verify(presented(dict(scope["headers"])))
        except Problem as problem:
            await Answering(send, _dialect(path)).refuse(problem)
            return
        # The token is the pod's proof to us, and nothing that is kept.
        headers = [item for item in scope["headers"] if item[0] != b"authorization"]
        asked = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
        await self._answers.serve(asked, receive, send, tenant=pods_of(account))


def _dialect(path: str) -> Dialect:
    return BY_PATH.get(path) or (ANTHROPIC_MESSAGES if path.startswith(message_batches.PATH) else OPENAI_CHAT)


def _length(scope: Scope) -> int:
    """Bytes of the body. Raises Problem(411) for one whose length is not told."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        raise Problem(411, "length_required", "Send the body with its Content-Length.")
    given = headers.get(b"content-length", b"0")
    if not given.isdigit():
        raise Problem(400, "invalid_content_length", "Content-Length: a number of bytes belongs here.")
    return int(given)


async def _pieces(receive: Receive, watch: LeaveWatch) -> AsyncIterator[bytes]:
    """The body as it comes; from its end on the caller is watched. Raises Problem(408), CallerLeft."""
    more = True
    while more:
        try:
            async with asyncio.timeout(STILL):
                message = await receive()
        except TimeoutError:
            raise Problem(408, "body_timeout", f"Nothing of the body came for {STILL:.0f} s.") from None
        if message["type"] == "http.disconnect":
            raise CallerLeft
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)
    watch.arm()
