"""One backend call: where to, with which credential, how often, and what came of it."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from random import random
from time import monotonic
from typing import Any

import orjson

from sluice_sidecar.ask import Ask, Caller, Problem
from sluice_sidecar.config import Backend, Resilience
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.endpoints import EndpointsView
from sluice_sidecar.route.breaker import Breakers
from sluice_sidecar.route.budget import RetryBudgets
from sluice_sidecar.route.reply import Attempt, NoAnswer, Reply
from sluice_sidecar.upstream.backoff import jittered, retry_after
from sluice_sidecar.upstream.call import Call
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import ConnectFailed, UpstreamError
from sluice_sidecar.upstream.failures import bad_answer, meaning, no_answer
from sluice_sidecar.upstream.headers import Header, returned
from sluice_sidecar.upstream.live import LiveEvents
from sluice_sidecar.upstream.request import Timeouts
from sluice_sidecar.upstream.response import Response
from sluice_sidecar.upstream.target import PATHS, Secrets, Target

WHOLE_LIMIT = 67_108_864
"""Largest whole answer, bytes."""

AGAIN = frozenset([408, 409, 429, 500, 502, 503, 504, 529])
"""Statuses after which the same backend is asked again; 529 is Anthropic's "overloaded"."""

STARTING_RETRY_AFTER = 5.0
"""What a caller is told to wait when a managed model did not start in time, seconds."""

_JSON: Header = (b"content-type", b"application/json")


class Courier:
    """Calls backends. One a process: its breakers, budgets and connections outlive Configs."""

    def __init__(
        self,
        client: Client,
        credentials: Secrets,
        endpoints: EndpointsView,
        breakers: Breakers,
        budgets: RetryBudgets,
        *,
        rng: Callable[[], float] = random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.client, self.credentials, self.endpoints = client, credentials, endpoints
        self._breakers, self._budgets = breakers, budgets
        self._rng, self._sleep = rng, sleep
        self._targets: dict[tuple[int, int], Target] = {}

    async def ask(
        self,
        ask: Ask,
        backend: Backend,
        caller: Caller,
        resilience: Resilience,
        *,
        logprobs: bool = False,
        stream: bool | None = None,
        deadline: float | None = None,
        patience: float = math.inf,
    ) -> Reply:
        """Asks a backend, again where that may help, until it answers.

        `stream` None: as the caller wants it. `deadline` (monotonic seconds) stands in for `resilience.total` from now.
        `patience`: the longest single wait before a retry, seconds, where another backend could be asked instead.
        Raises NoAnswer when nothing came from upstream, Problem(400) when the backend does not speak the dialect and
        Problem(500) when its credential is missing; an error that the upstream answered is a Reply.
        """
        dialect = ask.dialect
        target = self._targets.get((id(backend), id(dialect)))  # it holds both: an id in use names the same object
        if target is None:
            target = self._new_target(backend, dialect, resilience)
        headers = target.headers(self.credentials, caller.headers)
        live = dialect.streams and (ask.stream if stream is None else stream)
        send_live = live or (backend.always_stream and dialect.streams)
        body = dialect.upstream(ask, model=backend.model, stream=send_live, logprobs=logprobs)
        if deadline is None:
            ends = monotonic() + resilience.total
            timeouts = target.timeouts(resilience, live=send_live)
        else:
            ends = deadline
            timeouts = _left(resilience, ends, live=send_live)
        target.budget.deposit()
        attempts: list[Attempt] = []
        told: Reply | None = None
        retry = 0
        while True:
            try:
                url = backend.url or await self._ready(target, resilience, ends)
                reply = await self._once(target, url, headers, body, timeouts, attempts, live)
            except NoAnswer as problem:
                problem.attempts = tuple(attempts)
                if not problem.again or not await self._pause(target, resilience, retry, 0.0, ends, patience):
                    if told is None:
                        raise
                    break
            else:
                told = reply
                if reply.failed is None and reply.status not in AGAIN:
                    break
                asked = retry_after(_first(reply, b"retry-after"), _first(reply, b"retry-after-ms"))
                if not await self._pause(target, resilience, retry, asked, ends, patience):
                    break
            retry += 1
            timeouts = _left(resilience, ends, live=send_live)
        told.attempts = tuple(attempts)
        told.logprobs_added = logprobs and not ask.wants_logprobs
        return told

    def _new_target(self, backend: Backend, dialect: Dialect, resilience: Resilience) -> Target:
        if dialect.family not in backend.families:
            raise not_spoken([backend], dialect)
        if len(self._targets) >= 4096:  # those of Configs long gone
            self._targets.clear()
        breaker = self._breakers.of(backend, resilience.breaker)
        budget = self._budgets.of(backend, resilience.retries.budget)
        target = self._targets[id(backend), id(dialect)] = Target(backend, dialect, breaker, budget)
        return target

    async def _ready(self, target: Target, resilience: Resilience, ends: float) -> str:
        """The base URL of a managed model to ask; waits while it starts."""
        model = target.backend.managed or ""
        url = self.endpoints.least_busy(model)
        if url is None:
            url = await self.endpoints.wait(model, max(0.0, min(resilience.hold, ends - monotonic())))
        if url is None and (why := self.endpoints.unavailable(model)) is not None:
            raise NoAnswer(503, "model_unavailable", f"Backend {target.backend.name}: {why}")
        if url is None:
            text = f"Backend {target.backend.name}: the model {model} has no ready replica yet; ask again shortly."
            raise NoAnswer(503, "model_starting", text, retry_after=STARTING_RETRY_AFTER)
        return url

    async def _pause(
        self, target: Target, resilience: Resilience, retry: int, asked: float, ends: float, patience: float
    ) -> bool:
        """Waits before another try on the same backend; False, at once, when there must be none."""
        if retry + 1 >= resilience.retries.attempts:
            return False
        wait = max(asked, jittered(retry + 1, self._rng()))
        if wait > patience or wait >= ends - monotonic() or not target.budget.withdraw():
            return False
        await self._sleep(wait)
        return True

    async def _once(
        self,
        target: Target,
        url: str,
        headers: Sequence[Header],
        body: bytes,
        timeouts: Timeouts,
        attempts: list[Attempt],
        live: bool,
    ) -> Reply:
        backend = target.backend
        origin, path = target.address(url)
        permit = target.breaker.enter()
        if permit is None:
            text = f"Backend {backend.name} has been failing and is left alone for the moment."
            raise NoAnswer(503, "backend_unavailable", text, retry_after=math.ceil(target.breaker.remaining) or 1)
        call = Call(backend.name, target.breaker, permit, None if backend.managed is None else self.endpoints, url)
        attempts.append(call.attempt)
        response: Response | None = None
        try:
            response = await self.client.send(origin, b"POST", path, headers, body, timeouts)
            return await self._read(response, target, call, timeouts, live)
        except UpstreamError as error:
            problem = no_answer(backend, error)
            if backend.managed is not None and isinstance(error, ConnectFailed):
                self.endpoints.refused(url)
            call.close(problem.code, healthy=False if meaning(error).blames else None)
            raise problem from error
        except NoAnswer as problem:
            call.close(problem.code, healthy=False)
            raise
        except BaseException:
            call.close("cancelled", healthy=None)
            raise
        finally:
            # Whatever was not read to its end is of no use: a live stream alone goes on.
            if response is not None and call.settled:
                response.abort()

    async def _read(self, response: Response, target: Target, call: Call, timeouts: Timeouts, live: bool) -> Reply:
        backend, dialect, status = target.backend, target.dialect, response.status
        if not 200 <= status < 300:
            return await self._error(response, target, call)
        if (response.header(b"content-type") or b"")[:17] == b"text/event-stream":
            return await self._stream(response, target, call, timeouts, live)
        raw = await response.read(WHOLE_LIMIT)
        whole = _object(raw)
        if whole is None:
            raise _unreadable(response, backend)
        failed = dialect.failed(whole)
        if failed is None:
            call.close(status, healthy=True, usage=dialect.usage(whole))
        else:
            call.close("upstream_error", healthy=False)
        return Reply(backend, status, returned(response.headers), raw, whole, failed=failed)

    async def _stream(self, response: Response, target: Target, call: Call, timeouts: Timeouts, live: bool) -> Reply:
        """A stream whose first event has come, or, where the caller wants a whole, what it amounts to."""
        backend = target.backend
        events = LiveEvents(response, backend, target.dialect, call)
        await events.begin(max(0.0, call.started + timeouts.first_byte - monotonic()))
        headers = returned(response.headers)
        if live:
            if events.failed is not None:
                events.stop()
                call.close("upstream_error", healthy=False)
            reply = Reply(backend, response.status, headers, events=events, assembler=events.assembler)
            reply.failed, events.reply = events.failed, reply
            return reply
        await events.drain(WHOLE_LIMIT)
        if events.failed is not None:
            raise bad_answer(backend, f"failed in its stream: {events.failed}", code="upstream_error")
        headers = [_JSON if header[0] == b"content-type" else header for header in headers]
        return Reply(backend, response.status, headers, whole=events.assembler.whole())

    async def _error(self, response: Response, target: Target, call: Call) -> Reply:
        """An error status: its body as it came when it is JSON, else in the dialect's shape."""
        status = response.status
        if status < 400:
            text = f"answered {status} (redirects are not followed: set the backend's final URL)"
            raise bad_answer(target.backend, text)
        raw = await response.read(WHOLE_LIMIT)
        headers = returned(response.headers)
        whole = _object(raw)
        if whole is None:
            kind = (response.header(b"content-type") or b"no content type").decode("latin-1")[:60]
            said = f": {raw[:200].decode('utf-8', 'replace').strip()}" if kind.startswith("text/plain") else ""
            text = f"Backend {target.backend.name} answered {status} with {kind}, not JSON{said}"
            raw = target.dialect.error(Problem(status, "upstream_error", text))
            headers = [_JSON, *(header for header in headers if header[0] != b"content-type")]
        call.close(status, healthy=status < 500 or status == 501)
        return Reply(target.backend, status, headers, raw, whole)


def not_spoken(backends: Sequence[Backend], dialect: Dialect) -> Problem:
    """The Problem for a dialect that no backend speaks; says which paths they do."""
    families = sorted({family for backend in backends for family in backend.families})
    paths = ", ".join(PATHS[family] for family in families)
    text = f"The backends of this model do not speak {dialect.name}: ask at {paths} instead."
    return Problem(400, "dialect_not_supported", text, param="model")


def _unreadable(response: Response, backend: Backend) -> NoAnswer:
    encoding = response.header(b"content-encoding") or b"identity"
    if encoding != b"identity":
        return bad_answer(backend, f"compressed its answer ({encoding.decode('latin-1')[:20]}) although asked not to")
    return bad_answer(backend, f"answered {response.status} with something that is not a JSON object")


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _first(reply: Reply, name: bytes) -> bytes | None:
    return next((value for header, value in reply.headers if header == name), None)


def _left(resilience: Resilience, ends: float, *, live: bool) -> Timeouts:
    total = max(0.001, ends - monotonic())
    return Timeouts(resilience.connect, min(resilience.first_token, total) if live else total, total)
