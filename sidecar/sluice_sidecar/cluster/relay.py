"""The shared gateway's part of a sidecar's keyed call: who asks, then the credential, then bytes both ways."""

import asyncio
import logging
from typing import Protocol

from sluice_sidecar.ask import Problem
from sluice_sidecar.callers import presented
from sluice_sidecar.cluster.relayed import PREFIX
from sluice_sidecar.cluster.tokens import Tokens
from sluice_sidecar.config import Cascade, Credential, Family, HttpCheck, Route
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.leave import LeaveWatch, Watches
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.serving import Serving, granted
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.errors import FirstByteTimeout, TotalTimeout, UpstreamError
from sluice_sidecar.upstream.headers import Header, forwarded, returned
from sluice_sidecar.upstream.request import Timeouts, parse_url
from sluice_sidecar.upstream.target import secret_value
from sluice_sidecar.wire import JSON, CallerLeft, Receive, Scope, Send, read_body, send_whole

FAMILIES: dict[str, Family] = {dialect.path: dialect.family for dialect in BY_PATH.values()}
"""Path under a backend's URL -> whose wire is spoken there."""

_ALWAYS: tuple[Header, ...] = (JSON, (b"accept-encoding", b"identity"))

_log = logging.getLogger("sluice.relay")


class Parts(Protocol):
    """What of the gateway the relay works with."""

    options: GatewayOptions
    serving: Serving
    courier: Courier
    watches: Watches


class Relay:
    """An ASGI app for PREFIX. A caller that leaves takes the upstream call with it; no redirect is followed."""

    def __init__(self, parts: Parts, tokens: Tokens) -> None:
        self._parts, self._tokens = parts, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one relayed call."""
        call = Answering(send)
        watch = LeaveWatch(self._parts.watches, receive, 60.0)
        try:
            headers = dict(scope["headers"])
            await self._tokens.verify(presented(headers))
            if scope["method"] != "POST":
                raise Problem(405, "method_not_allowed", f"Use POST at {PREFIX}, not {scope['method']}.")
            body = await read_body(scope, receive, self._parts.serving.config.gateway.body_bytes)
            with watch:
                try:
                    await self._relay(scope["path"].removeprefix(PREFIX), headers, body, call, watch)
                except asyncio.CancelledError:
                    if not watch.struck:
                        raise
                    watch.absorb()
        except Problem as problem:
            await call.refuse(problem)
        except UpstreamError as problem:
            late = isinstance(problem, FirstByteTimeout | TotalTimeout)
            await call.refuse(
                Problem(504 if late else 502, "upstream_failed", f"The backend did not answer: {problem}")
            )
        except CallerLeft:
            return

    async def _relay(
        self, path: str, caller: dict[bytes, bytes], body: bytes, call: "Answering", watch: LeaveWatch
    ) -> None:
        name, _, rest = path.partition("/")
        part, _, tail = rest.partition("/")
        serving = self._parts.serving
        served = serving.routes.get(name)
        if served is None and name in serving.refused:
            raise Problem(503, "route_refused", f"Route {name}: {serving.refused[name]}")
        if served is None:
            raise Problem(404, "unknown_route", f"This gateway serves no route {name[:80]!r} now.")
        route = served.route
        if part == "checks" and tail.isascii() and tail.isdigit():
            url, credential, timeouts = _check(route, int(tail))
            target, family = "", None
        else:
            url, credential, timeouts = _backend(route, part)
            target = "/" + tail
            family = FAMILIES.get(target)
            if family is None:
                raise Problem(404, "unknown_path", f"There is nothing at {target[:80]!r} of backend {part[:80]}.")
        who = f"Relay to {part} of route {name}"
        secrets = self._parts.options.credentials
        try:
            # the ConfigMap is not proof enough: the grant stands in the Secret, where an app cannot write
            granted(secrets, credential, url, who)
            origin, base = parse_url(url)
        except ValueError as problem:
            raise Problem(403, "credential_not_granted", str(problem)) from None
        value = secret_value(secrets, credential, who)
        proof = (b"x-api-key", value) if family == "anthropic" else (b"authorization", b"Bearer " + value)
        watch.limit = timeouts.total + 60.0
        watch.arm()
        headers = forwarded(caller, (*_ALWAYS, proof))
        response = await self._parts.courier.client.send(
            origin, b"POST", (base + target.encode()) or b"/", headers, body, timeouts
        )
        try:
            await call.begin(response.status, returned(response.headers))
            async for chunk in response:
                await call.write(chunk)
            await call.end()
        finally:
            response.abort()


class Answering:
    """What goes back; an error after the head cuts the connection, so that nobody takes a part for the whole."""

    def __init__(self, send: Send, dialect: Dialect = OPENAI_CHAT) -> None:
        """`dialect`: in whose shape an error is told."""
        self._send, self._dialect, self._begun = send, dialect, False

    async def begin(self, status: int, headers: list[Header]) -> None:
        """Sends the head."""
        self._begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, chunk: bytes) -> None:
        """Sends a piece of the body."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self) -> None:
        """Ends the body."""
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, problem: Problem) -> None:
        """Sends an error. Raises ConnectionAbortedError behind a head."""
        if self._begun:
            raise ConnectionAbortedError(problem.message)
        headers = [JSON]
        if problem.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(problem.retry_after))))
        await send_whole(self._send, problem.status, headers, self._dialect.error(problem))


def _backend(route: Route, name: str) -> tuple[str, Credential, Timeouts]:
    backend = route.backends.get(name)
    if backend is None or backend.url is None or backend.credential is None:
        raise Problem(404, "unknown_backend", f"Route {route.name} has no backend {name[:80]!r} with a credential now.")
    resilience = route.resilience
    return backend.url, backend.credential, Timeouts(resilience.connect, resilience.total, resilience.total)


def _check(route: Route, index: int) -> tuple[str, Credential, Timeouts]:
    checks = route.strategy.checks if isinstance(route.strategy, Cascade) else ()
    check = checks[index] if index < len(checks) else None
    if not isinstance(check, HttpCheck) or check.credential is None:
        raise Problem(404, "unknown_check", f"Route {route.name} has no check {index} with a credential now.")
    return check.url, check.credential, Timeouts(check.timeout, check.timeout, check.timeout)
