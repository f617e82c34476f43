"""One deferred request, answered as if its caller had asked now: same cache, same flights, same routes, same ledger."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

from sluice_sidecar.ask import Caller
from sluice_sidecar.batch.records import Result, Task
from sluice_sidecar.callers import Callers, Key
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.exchange import CLIENT_CLOSED, Exchange, Parts
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.wire import JSON, Message

AGAIN = frozenset({408, 425, 429, CLIENT_CLOSED, 500, 502, 503, 504, 529})
"""Statuses after which another try may end well."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, for how many seconds the upstream wants to be left alone, and what it cost."""

    result: Result
    retry_after: float | None = None
    decision: Decision | None = None
    """The ledger's entry of it; None: it never came to an exchange."""

    @property
    def again(self) -> bool:
        """Whether another try may end well."""
        return self.result.status in AGAIN


async def execute(parts: Parts, task: Task, body: bytes) -> Outcome:
    """The answer to `body`, good or bad. Whoever put it into the queue was known then, and is believed now."""
    answer = _Answer(body)
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": task.path, "query_string": b"", "headers": [JSON, *task.headers],
    }  # fmt: skip
    exchange = Exchange(parts, BY_PATH[task.path], scope, answer.receive, answer.send)
    exchange.serving = dataclasses.replace(parts.serving, callers=_Known(task))
    await exchange.run()
    return answer.outcome(exchange.decision)


class _Known(Callers):
    """The one caller of a request that was let in when it came."""

    def __init__(self, task: Task) -> None:
        super().__init__(None, tenant=task.tenant)
        self._key = Key(task.tenant, models=task.models)

    def authenticate(self, headers: Mapping[bytes, bytes], now: float) -> tuple[Caller, Key | None]:
        """Who put it into the queue, with the rights of then."""
        return Caller(self._key.tenant, headers), self._key


class _Answer:
    """The other end of an exchange: gives it the request's body, and holds what it sends."""

    def __init__(self, body: bytes) -> None:
        self._given: bytes | None = body
        self._status = CLIENT_CLOSED  # nothing was sent: it took longer than any caller would wait
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()

    async def receive(self) -> Message:
        """The body; then nothing more, as from a caller who waits."""
        if self._given is None:
            await asyncio.Event().wait()
        body, self._given = self._given, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Takes the head and the pieces."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], dict(message["headers"])
        else:
            self._body += message.get("body", b"")

    def outcome(self, decision: Decision) -> Outcome:
        """What was sent."""
        wait = self._headers.get(b"retry-after", b"")
        request = self._headers.get(b"x-sluice-request", b"").decode("latin-1")
        result = Result(self._status, request, bytes(self._body))
        return Outcome(result, float(wait) if wait.isdigit() else None, decision)
