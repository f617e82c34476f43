"""The admin port: health, metrics, what is served, what it saved, purging, and the console page. Raw ASGI.

It has no login: it binds to loopback unless told otherwise, and `guard` keeps other sites' pages out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit, urlunsplit

import orjson

from sluice_sidecar.admin.guard import CSP, SAFE, check_host, check_intent
from sluice_sidecar.admin.moves import IMPORT_BYTES, NDJSON, Moving, given, policy_of, taken
from sluice_sidecar.ask import Problem
from sluice_sidecar.config import Backend, Config, Route
from sluice_sidecar.telemetry import Snapshot
from sluice_sidecar.wire import JSON, CallerLeft, Headers, Receive, Scope, Send, read_body, send_whole

DECISIONS = 1_000
"""Most decisions that one call gets."""
BODY_BYTES = 65_536
PURGES = ("policy", "tenant", "entry")

_PAGE = {
    "/console": ("index.html", b"text/html; charset=utf-8"),
    "/console/console.js": ("console.js", b"text/javascript; charset=utf-8"),
    "/console/reuse.js": ("reuse.js", b"text/javascript; charset=utf-8"),
    "/console/batches.js": ("batches.js", b"text/javascript; charset=utf-8"),
    "/console/page.js": ("page.js", b"text/javascript; charset=utf-8"),
    "/console/charts.js": ("charts.js", b"text/javascript; charset=utf-8"),
    "/console/format.js": ("format.js", b"text/javascript; charset=utf-8"),
    "/console/console.css": ("console.css", b"text/css; charset=utf-8"),
}


class Books(Protocol):
    """What the port reads of the ledger."""

    def recent(self, n: int) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    def savings(self) -> Mapping[str, Any]: ...  # noqa: D102

    async def gather(self) -> None:
        """Takes in what other gateways counted."""


class Sources(Moving, Protocol):
    """What the port needs of the gateway."""

    @property
    def ledger(self) -> Books: ...  # noqa: D102
    def config(self) -> Config | None:
        """What is served; None before the first."""

    def refused(self) -> Mapping[str, str]:
        """Route or policy that is not served -> why."""

    def ready(self) -> tuple[bool, Sequence[str]]:
        """Whether requests can be answered, and what is missing."""

    def evidence(self) -> Mapping[str, Any]:
        """Policy -> strategy -> what is known of its error."""

    def hits(self, n: int) -> Sequence[Mapping[str, Any]]:
        """The last n answers that were reused by meaning, newest first."""

    async def prompts(self) -> Mapping[str, Any]:
        """The system prompts of governed and audited routes, and what became of their rewrites."""

    async def batches(self) -> Mapping[str, Any]:
        """The queue of deferred requests and its windows."""

    async def webhooks(self) -> Mapping[str, Any]:
        """How many webhooks of batches are where; raises Problem where there are none."""

    async def telemetry(self) -> Snapshot:
        """All workers' numbers, merged."""

    async def purge(self, *, policy: str | None, tenant: str | None, entry: str | None) -> int:
        """Drops cached answers that match all that is given; how many."""


Answer = tuple[int, Headers, bytes | AsyncIterator[bytes]]


class Admin:
    """The ASGI app. `hosts` are names besides localhost and plain addresses by which it may be called, without port.
    `started` says whether the data port listens."""

    def __init__(
        self, sources: Sources, *, hosts: Collection[str] = (), started: Callable[[], bool] | None = None
    ) -> None:
        self._sources = sources
        self._started = started
        self._hosts = frozenset(name.lower() for name in hosts)
        get: dict[str, Callable[[Scope], Awaitable[Answer]]] = {
            "/healthz": self._health,
            "/startz": self._start,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            "/-/config": self._config,
            "/-/decisions": self._decisions,
            "/-/savings": self._savings,
            "/-/evidence": self._evidence,
            "/-/hits": self._hits,
            "/-/prompts": self._prompts,
            "/-/batches": self._batches,
            "/-/webhooks": self._webhooks,
            "/-/export": self._export,
            "/": _to_console,
            "/console/": _to_console,
            **dict.fromkeys(_PAGE, _page),
        }
        self._get = get
        self._post: dict[str, Callable[[Scope, Receive], Awaitable[Answer]]] = {
            "/-/purge": self._purge,
            "/-/import": self._import,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; errors are JSON too."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            status, headers, body = await self._answer(scope, receive)
        except Problem as problem:
            status, headers, body = _json(
                {"error": {"code": problem.code, "message": problem.message, "param": problem.param}}, problem.status
            )
            if problem.status == 405:
                headers.append((b"allow", b"POST" if scope["path"] in self._post else b"GET, HEAD"))
        except CallerLeft:
            return
        headers = [*headers, *SAFE]
        if isinstance(body, bytes) and scope["method"] != "HEAD":
            await send_whole(send, status, headers, body)
            return
        if isinstance(body, bytes):
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if not isinstance(body, bytes) and scope["method"] != "HEAD":
            async for part in body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        headers = dict(scope["headers"])
        if path not in ("/healthz", "/startz", "/readyz"):
            check_host(headers.get(b"host"), self._hosts)
        if path in self._post:
            if method != "POST":
                raise _wrong_method(method, "POST")
            check_intent(headers)
            return await self._post[path](scope, receive)
        handler = self._get.get(path)
        if handler is None:
            raise Problem(
                404, "not_found", f"There is no {path[:200]} here; see {', '.join([*self._get, *self._post])}."
            )
        if method not in ("GET", "HEAD"):
            raise _wrong_method(method, "GET")
        return await handler(scope)

    async def _health(self, _: Scope) -> Answer:
        return _json({"status": "ok"})

    async def _start(self, _: Scope) -> Answer:
        started = self._started is None or self._started()
        return _json({"started": started}, 200 if started else 503)

    async def _ready(self, _: Scope) -> Answer:
        ready, reasons = self._sources.ready()
        return _json({"ready": ready, "reasons": list(reasons)}, 200 if ready else 503)

    async def _metrics(self, scope: Scope) -> Answer:
        accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")
        body, content_type = await asyncio.to_thread(_rendered, await self._sources.telemetry(), accept)
        return 200, [(b"content-type", content_type.encode())], body

    async def _config(self, _: Scope) -> Answer:
        config, refused = self._sources.config(), self._sources.refused()
        ready, reasons = self._sources.ready()
        return _json(
            {
                "digest": None if config is None else config.digest,
                "namespace": None if config is None else config.namespace,
                "ready": ready,
                "reasons": list(reasons),
                "routes": {} if config is None else _served(config.routes, refused, _route),
                "policies": {}
                if config is None
                else _served(config.policies, refused, lambda policy: policy.model_dump(mode="json")),
                "refused": dict(refused),
            }
        )

    async def _decisions(self, scope: Scope) -> Answer:
        limit = _limit(scope["query_string"], DECISIONS)
        return _json({"decisions": list(self._sources.ledger.recent(limit))})

    async def _savings(self, _: Scope) -> Answer:
        await self._sources.ledger.gather()
        return _json(self._sources.ledger.savings())

    async def _evidence(self, _: Scope) -> Answer:
        return _json({"policies": self._sources.evidence()})

    async def _hits(self, scope: Scope) -> Answer:
        return _json({"hits": list(self._sources.hits(_limit(scope["query_string"], DECISIONS)))})

    async def _prompts(self, _: Scope) -> Answer:
        return _json(await self._sources.prompts())

    async def _batches(self, _: Scope) -> Answer:
        return _json(await self._sources.batches())

    async def _webhooks(self, _: Scope) -> Answer:
        return _json(await self._sources.webhooks())

    async def _export(self, scope: Scope) -> Answer:
        return 200, [NDJSON], await given(self._sources, policy_of(scope["query_string"]))

    async def _import(self, scope: Scope, receive: Receive) -> Answer:
        policy = policy_of(scope["query_string"])
        lines = await read_body(scope, receive, IMPORT_BYTES)
        return 200, [JSON], await taken(self._sources, policy, lines)

    async def _purge(self, scope: Scope, receive: Receive) -> Answer:
        body = await read_body(scope, receive, BODY_BYTES)
        try:
            wanted = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Problem(400, "invalid_json", f"The body is not JSON: {error}.") from None
        example = '{"policy": "support"}'
        if not isinstance(wanted, dict) or not wanted:
            raise Problem(400, "invalid_purge", f"Say what to purge by {', '.join(PURGES)}, for example {example}.")
        for name, value in wanted.items():
            if name not in PURGES:
                raise Problem(
                    400, "unknown_field", f"Purging knows no {name[:100]!r}: {', '.join(PURGES)}.", param=name[:100]
                )
            if not isinstance(value, str) or not value:
                raise Problem(400, "invalid_value", f"{name} must be a text that is not empty.", param=name)
        purged = await self._sources.purge(
            policy=wanted.get("policy"), tenant=wanted.get("tenant"), entry=wanted.get("entry")
        )
        return _json({"purged": purged})


def _wrong_method(method: str, right: str) -> Problem:
    return Problem(405, "method_not_allowed", f"{method} is not possible here, use {right}.")


def _limit(query: bytes, most: int) -> int:
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    unknown = given.keys() - {"limit"}
    if unknown:
        raise Problem(
            400,
            "unknown_parameter",
            f"Unknown parameter {min(unknown)[:100]!r}; known: limit.",
            param=min(unknown)[:100],
        )
    value = given.get("limit", ["100"])[-1]
    if not (value.isascii() and value.isdigit() and len(value) <= 6 and 1 <= int(value) <= most):
        raise Problem(
            400, "invalid_limit", f"limit must be a whole number from 1 to {most}, not {value[:40]!r}.", param="limit"
        )
    return int(value)


def _served(parts: Mapping[str, Any], refused: Mapping[str, str], show: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        name: {"served": name not in refused, "refused": refused.get(name), **show(part)}
        for name, part in sorted(parts.items())
    }


def _route(route: Route) -> dict[str, Any]:
    plain = route.model_dump(mode="json", exclude={"backends"})
    plain["backends"] = {name: _backend(backend) for name, backend in route.backends.items()}
    for check in plain["strategy"].get("checks", ()):
        if "url" in check:
            check["url"] = bare(check["url"])
    return plain


def _backend(backend: Backend) -> dict[str, Any]:
    return {**backend.model_dump(mode="json"), "url": None if backend.url is None else bare(backend.url)}


def bare(url: str) -> str:
    """A URL without user part and query: people put secrets there."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def _json(value: Any, status: int = 200) -> Answer:
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    return status, [JSON], body


def _rendered(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """In a thread, as many series take milliseconds; imported late, as no start need wait for what a scrape needs."""
    from sluice_sidecar.admin.exposition import render

    return render(snapshot, accept)


async def _to_console(scope: Scope) -> Answer:
    # Relative, so that a proxy may put the port under a path of its own.
    return 307, [(b"location", b"console" if scope["path"] == "/" else b"../console")], b""


async def _page(scope: Scope) -> Answer:
    name, content_type = _PAGE[scope["path"]]
    return 200, [(b"content-type", content_type), (b"content-security-policy", CSP)], _asset(name)


@cache
def _asset(name: str) -> bytes:
    return (files("sluice_sidecar.admin") / "console" / name).read_bytes()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
