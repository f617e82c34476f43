"""What the batch endpoints share: a caller's request as they read it, and an answer as they give it."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.hooks import HookBook
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.stores.store import Idempotency
from sluice_sidecar.body import parsed
from sluice_sidecar.callers import Key
from sluice_sidecar.serving import Serving
from sluice_sidecar.wire import JSON, Headers, Receive, Scope, Send, read_body

WEBHOOK_HEADER, WEBHOOK_NOTE = b"x-sluice-webhook", "sluice_webhook"
"""Where a caller names the address that is to be told of the end."""
URGENCY = 3
"""RFC 9218: 0 is the most urgent, 7 the least, this what nobody asked to change."""

_PASSED = frozenset({b"anthropic-version", b"anthropic-beta", b"openai-beta", b"cache-control"})
"""Headers that can change an answer. Whatever else came, a credential above all, is not written to the disk."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes
    headers: Headers = field(default_factory=lambda: [JSON])


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a batch endpoint, its caller known."""

    queue: Queue
    serving: Serving
    tenant: str
    key: Key | None
    headers: Mapping[bytes, bytes]
    scope: Scope
    receive: Receive
    send: Send
    hooks: HookBook = field(default_factory=HookBook)
    in_time: Callable[[str], None] = lambda _: None
    """Raises Problem for a route whose window takes nothing in now."""

    def query(self, name: str) -> str | None:
        """A parameter of the address."""
        found = parse_qs(self.scope.get("query_string", b"").decode("latin-1")).get(name)
        return found[-1] if found else None

    def limit(self, default: int, most: int) -> int:
        """How many a list is to hold. Raises Problem(400)."""
        given = self.query("limit")
        if given is None:
            return default
        if not given.isdigit() or not 1 <= int(given) <= most:
            raise Problem(400, "invalid_limit", f"limit: a number from 1 to {most} belongs here.", param="limit")
        return int(given)

    async def json(self) -> tuple[bytes, dict[str, Any]]:
        """The body, raw and read. Raises Problem, CallerLeft."""
        raw = await read_body(self.scope, self.receive, self.serving.config.gateway.body_bytes)
        return raw, parsed(raw, dict(self.headers))

    def idempotency(self, raw: bytes) -> Idempotency | None:
        """The key that makes a repeated call the same call, and a digest of what it asks. Raises Problem(400)."""
        key = self.headers.get(b"idempotency-key")
        if key is None:
            return None
        if not 0 < len(key) <= 255:
            raise Problem(400, "invalid_idempotency_key", "Idempotency-Key: 1 to 255 characters belong here.")
        return Idempotency(key.decode("latin-1"), hashlib.sha256(self.scope["path"].encode() + b"\n" + raw).digest())

    def urgency(self) -> int:
        """By the Priority header, `u=0` to `u=7`."""
        for word in self.headers.get(b"priority", b"").replace(b" ", b"").split(b","):
            if len(word) == 3 and word.startswith(b"u=") and word[2:] in b"01234567":
                return int(word[2:])
        return URGENCY

    def passed(self) -> list[tuple[str, str]]:
        """Headers that go with each request of a batch when it runs, to be kept with it."""
        policies = self.serving.config.policies.values()
        partitions = {name.lower().encode("latin-1") for policy in policies for name in policy.partition_headers}
        kept = (_PASSED | partitions) - {b"authorization", b"x-api-key", b"api-key", b"cookie"}
        return [(n.decode("latin-1"), v.decode("latin-1")) for n, v in self.headers.items() if n in kept]

    async def webhook(self, model: Callable[[], object], notes: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a batch's note says of who wants to be told; empty: nobody does.

        The address stands in the header, or in the caller's own notes. `model`: a name that is asked, whose route's
        BatchWindow signs; where nothing answers to it, one that allows the address does. It may block.

        Raises Problem(400).
        """
        url = self.headers.get(WEBHOOK_HEADER, b"").decode("latin-1").strip()
        noted = (notes or {}).get(WEBHOOK_NOTE, "").strip()
        if url and noted and url != noted:
            message = f"{WEBHOOK_HEADER.decode()} and metadata.{WEBHOOK_NOTE} name two addresses: name one."
            raise Problem(400, "webhook_ambiguous", message, param=WEBHOOK_NOTE)
        if not (url or noted):
            return {}
        name, route = await asyncio.to_thread(model), None
        if isinstance(name, str):
            with suppress(Problem):  # the batch's own check tells of it
                route = self.serving.find(name, self.key).route.name
        base = f"{self.scope.get('scheme', 'http')}://{self.headers.get(b'host', b'localhost').decode('latin-1')}"
        window = self.hooks.admit(url or noted, route)
        return {"webhook": {"window": window, "url": url or noted, "base": base}}

    def models(self) -> list[str] | None:
        """Names that the caller may use; None: all."""
        return None if self.key is None or self.key.models is None else sorted(self.key.models)


def shown(value: object, status: int = 200, headers: Headers | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, orjson.dumps(value), [JSON, *(headers or [])])


def metadata(body: Mapping[str, Any]) -> dict[str, str] | None:
    """A caller's own notes. Raises Problem(400) for what is none."""
    given = body.get("metadata")
    if given is None:
        return None
    notes: dict[str, Any] = given if isinstance(given, dict) and len(given) <= 16 else {"": None}
    if not all(len(k) <= 64 and isinstance(v, str) and len(v) <= 512 for k, v in notes.items()):
        message = "metadata: at most 16 pairs of texts belong here, names of 64 characters, values of 512."
        raise Problem(400, "invalid_metadata", message, param="metadata")
    return notes


def reused() -> Problem:
    """What a caller is told whose idempotency key came with another request before."""
    message = "This Idempotency-Key came with another request before: take a new one, or send the same request."
    return Problem(422, "idempotency_key_reused", message)
