"""A real Courier over a real client, with a clock-free backoff, and real asks for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from sluice_sidecar.ask import Ask, Caller
from sluice_sidecar.config import Backend, Breaker, Resilience, Retries
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.endpoints import EndpointsView
from sluice_sidecar.route.breaker import Breakers
from sluice_sidecar.route.budget import RetryBudgets
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.sse import Event

CALLER = Caller("tenant", {b"user-agent": b"test"})

PATIENT = Resilience(connect=5.0, first_token=5.0, total=10.0, hold=5.0)
"""Enough time for anything that a test does not hold back on purpose."""

ONCE = PATIENT.model_copy(update={"retries": Retries(attempts=1)})


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Calling:
    """A Courier and what a test may want to look at or turn."""

    def __init__(self, environ: Mapping[str, str], guard: Guard) -> None:
        self.client = Client(guard)
        self.endpoints = EndpointsView()
        self.clock = Clock()
        self.breakers = Breakers(self.clock)
        self.budgets = RetryBudgets(self.clock)
        self.waits: list[float] = []
        """Seconds waited before each retry, none of them really."""
        self.courier = Courier(
            self.client,
            Credentials(environ),
            self.endpoints,
            self.breakers,
            self.budgets,
            rng=lambda: 1.0,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@asynccontextmanager
async def calling(environ: Mapping[str, str] | None = None, *, guard: Guard | None = None) -> AsyncIterator[Calling]:
    """`guard`: one that allows loopback, if not given."""
    desk = Calling(environ or {}, guard or Guard(loopback=True))
    try:
        yield desk
    finally:
        await desk.client.close()


def ask(text: str = "Hello?", *, dialect: Dialect = OPENAI_CHAT, **fields: Any) -> Ask:
    """A parsed request with one user message and further body fields."""
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}
    if dialect is ANTHROPIC_MESSAGES:
        body.setdefault("max_tokens", 100)
    return dialect.parse(orjson.dumps(body), body)


def backend(url: str | None, name: str = "small", **fields: Any) -> Backend:
    """A backend at `url`."""
    return Backend(name=name, url=url, **fields)


def resilient(*, attempts: int = 2, budget: float = 0.2, failures: int = 5, **times: float) -> Resilience:
    """PATIENT with other rules."""
    return PATIENT.model_copy(
        update={
            "retries": Retries(attempts=attempts, budget=budget),
            "breaker": Breaker(failures=failures, open_for=10.0),
            **times,
        }
    )


def said(events: list[Event]) -> str:
    """The text that OpenAI chunks carry."""
    chunks = [orjson.loads(event.data) for event in events if event.data not in (None, b"[DONE]")]
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices"))
