"""One request's journey, readable top to bottom.

authenticate -> parse -> rewrite the prompt -> fingerprint -> identical? -> in flight? -> by meaning? -> route -> stream
-> store -> ledger
"""

import asyncio
import logging
import time
from random import getrandbits
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from sluice_sidecar.ask import Ask, Caller, Problem, Usage
from sluice_sidecar.body import parsed
from sluice_sidecar.cache.fingerprint import Fingerprint, fingerprint
from sluice_sidecar.cache.flight import FlightError, Flights, Follower
from sluice_sidecar.cachecontrol import Reuse, reuse
from sluice_sidecar.config import Policy, Route
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.identifiers import new
from sluice_sidecar.fetch import Fetch
from sluice_sidecar.leave import LeaveWatch, Watches
from sluice_sidecar.ledger.decision import CacheKind, Decision, text
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.route.reply import NoAnswer, Reply
from sluice_sidecar.serving import ServedRoute, Serving
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.wire import (
    EVENT_STREAM,
    JSON,
    CallerLeft,
    Headers,
    Receive,
    Scope,
    Send,
    read_body,
    send_frames,
    send_whole,
)

if TYPE_CHECKING:  # a gateway without prompt rules or a cache never loads them
    from sluice_sidecar.audit.governance import Passage
    from sluice_sidecar.cache.cache import Cache
    from sluice_sidecar.cache.entry import Hit
    from sluice_sidecar.cache.look import Look

log = logging.getLogger("sluice.exchange")

CLIENT_CLOSED = 499
"""The status that logs and metrics show for a caller who left (nginx's convention)."""

GRACE = 60.0
"""Seconds that a caller may take to read an answer beyond the route's own total time."""


class Parts(Protocol):
    """What of the gateway an exchange works with."""

    serving: Serving
    cache: "Cache | None"
    flights: Flights
    ledger: Ledger
    watches: Watches

    def settled(self, decision: Decision, served: ServedRoute | None, ask: Ask | None) -> None:
        """Takes note of a finished exchange: ledger, metrics, log."""

    def background(self, follower: Follower, route: Route) -> None:
        """Waits for a call that no caller waits for, and books it."""


class Exchange:
    """One request of one caller. `run` never raises for what a caller or an upstream did."""

    __slots__ = ("ask", "caller", "clock", "decision", "dialect", "parts", "passage", "receive", "scope", "send",
                 "served", "serving", "started", "watch")  # fmt: skip

    def __init__(self, parts: Parts, dialect: Dialect, scope: Scope, receive: Receive, send: Send) -> None:
        self.parts, self.dialect, self.scope, self.receive, self.send = parts, dialect, scope, receive, send
        self.serving = parts.serving  # one Config for the whole journey, whatever is swapped in meanwhile
        self.clock = time.perf_counter()
        self.started = False
        self.watch = LeaveWatch(parts.watches, receive, GRACE)
        self.ask: Ask | None = None
        self.served: ServedRoute | None = None
        self.caller: Caller | None = None
        self.passage: Passage | None = None
        self.decision = Decision(f"{getrandbits(64):016x}", time.time(), "", "", "", dialect.name)

    async def run(self) -> None:
        """The whole journey, and its entry in the ledger whatever became of it."""
        try:
            raw = await read_body(self.scope, self.receive, self.serving.config.gateway.body_bytes)
            with self.watch as watch:
                try:
                    await self._serve(raw)
                except asyncio.CancelledError:
                    if not watch.struck:
                        self.decision.error = "gateway_stopped"
                        raise
                    watch.absorb()
                    self._cut_short(left=watch.left)
        except Problem as problem:
            await self._refuse(problem)
        except (UpstreamError, FlightError) as error:
            await self._refuse(Problem(502, "upstream_failed", str(error)))
        except CallerLeft:
            self._cut_short(left=True)
        except Exception:  # a fault of ours: the caller gets an answer, the log the trace, the process goes on
            log.exception("an exchange failed", extra={"request": self.decision.id})
            await self._refuse(Problem(500, "internal_error", f"The gateway failed; request {self.decision.id}."))
        finally:
            self.decision.latency = time.perf_counter() - self.clock
            self.parts.settled(self.decision, self.served, self.ask)
            if self.passage is not None and self.served is not None and self.served.governed is not None:
                self.served.governed.leave(self.passage, self.decision)

    async def _serve(self, raw: bytes) -> None:
        headers = dict(self.scope["headers"])
        self.caller, key = self.serving.callers.authenticate(headers, self.decision.at)
        self.ask = ask = self.dialect.parse(raw, parsed(raw, headers))
        decision = self.decision
        decision.tenant, decision.model, decision.stream = self.caller.tenant, ask.model[:80], ask.stream
        self.served = served = self.serving.find(ask.model, key)
        decision.route = served.route.name
        self.watch.limit = served.route.resilience.total + GRACE
        if served.governed is not None:
            self.passage = served.governed.enter(ask, self.caller)
            self.ask = ask = self.passage.ask
        cache = self.parts.cache
        if served.policy is None or cache is None:
            self.watch.arm()
            await self._direct(served, ask)
            return
        wish = reuse(headers)
        if ask.bypass is not None or not (wish.read or wish.write):
            decision.cache = "bypass"
            self.watch.arm()
            await self._direct(served, ask)
            return
        await self._through(cache, served, ask, served.policy, wish)

    async def _direct(self, served: ServedRoute, ask: Ask) -> None:
        """Without the cache: route, and pass on what comes as it comes."""
        assert self.caller is not None
        reply = await served.router.answer(ask, self.caller)
        self.decision.attempts = reply.attempts
        try:
            if reply.events is None or not ask.stream:
                await self._whole(ask, reply)
            else:
                await self._live(ask, reply, reply.events)
        finally:
            if reply.events is not None:
                await reply.events.aclose()
            self._count(reply)

    async def _through(self, cache: "Cache", served: ServedRoute, ask: Ask, policy: Policy, wish: Reuse) -> None:
        """With the cache: what is known, what is on its way, else a call whose answer is kept."""
        assert self.caller is not None
        try:
            print_ = fingerprint(ask, served.route, policy, self.caller)
        except TypeError:  # orjson reads deeper than it writes
            raise Problem(400, "nesting_too_deep", "The body is nested too deeply.") from None
        shared = wish.read and policy.identical
        look: Look | None = None
        if wish.read:
            hit = cache.identical(print_, policy, max_age=wish.max_age)
            follower = None
            if hit is None or ask.stream:  # a stream's frames take as long as their reader
                self.watch.arm()
            if hit is None:
                follower = self.parts.flights.join(print_.key) if shared else None
                if follower is None:
                    look = await cache.look(print_, policy, max_age=wish.max_age, min_similarity=wish.min_similarity)
                    hit = look.hit
                    if hit is None and shared:  # another may have asked meanwhile
                        follower = self.parts.flights.join(print_.key)
            if hit is not None:
                await self._reuse(cache, served, ask, print_, hit, look)
                return
            if follower is not None:
                self.decision.cache = "flight"
                await self._follow(ask, follower)
                return
        self.watch.arm()
        self.decision.cache = "miss" if wish.read else "bypass"
        call = Fetch(cache if wish.write else None, served, ask, self.caller, print_, look)
        # Who refuses what is stored, caller or policy, is not made to share a call either.
        name = print_.key if shared else f"{print_.key}/{self.decision.id}"
        await self._follow(ask, self.parts.flights.launch(name, call.run))

    async def _reuse(
        self, cache: "Cache", served: ServedRoute, ask: Ask, print_: Fingerprint, hit: "Hit", look: "Look | None"
    ) -> None:
        """Answers from a stored entry. A stale one is fetched again in the background, once; so is one to check."""
        assert self.caller is not None
        entry, decision = hit.entry, self.decision
        decision.cache = "stale" if hit.stale else hit.how
        decision.similarity, decision.backend = hit.similarity, entry.backend
        decision.usage, decision.took = entry.usage, entry.took or None  # 0: an import that did not say
        shadow = look is not None and look.shadow
        if look is not None and served.policy is not None and look.judged:
            cache.served(decision.id, self.caller.tenant, print_, served.policy, look)
        if (hit.stale or shadow) and not self.parts.flights.flying(print_.key):
            call = Fetch(cache, served, ask, self.caller, print_, look if shadow else None)
            self.parts.background(self.parts.flights.launch(print_.key, call.run, keep=True), served.route)
        headers = self._headers([JSON])
        if hit.similarity is not None:
            headers.append((b"x-sluice-similarity", b"%.4f" % hit.similarity))
        if entry.memo is None or entry.memo[0] is not served.route:
            entry.memo = served.route, self._saved(served.route, entry.usage)
        if entry.memo[1]:
            headers.append((b"x-sluice-saved", entry.memo[1]))
        self.started = True
        if ask.stream:
            headers[0] = EVENT_STREAM
            frames = self.dialect.replay(ask, self.dialect.renewed(entry.whole))
            self._first_byte()
            await send_frames(self.send, headers, frames)
        else:
            body = entry.fresh(new(self.dialect.id_prefix).encode(), int(decision.at))
            self._first_byte()
            await send_whole(self.send, 200, headers, body)

    async def _follow(self, ask: Ask, follower: Follower) -> None:
        """Answers from a call in flight: live where both sides stream, whole when it is done otherwise."""
        with follower:
            reply: Reply = await follower.head()
            if self.decision.cache != "flight":
                self.decision.attempts = reply.attempts
            if reply.events is not None and ask.stream:
                await self._live(ask, reply, follower)
            await follower.result()
            self._count(reply)
            if reply.events is None or not ask.stream:
                await self._whole(ask, reply)

    async def _whole(self, ask: Ask, reply: Reply) -> None:
        """A whole answer, good or bad; as a finished stream where the caller wants one."""
        self.decision.backend, self.decision.status = reply.backend.name, reply.status
        headers = self._headers(list(reply.headers))
        self.started = True
        good = reply.status == 200 and reply.failed is None
        if not good:
            self.decision.error = reply.failed or f"upstream_{reply.status}"
        whole = reply.whole
        if good and reply.logprobs_added and whole is not None:
            whole = self.dialect.trim(ask, whole, logprobs=True)
        if good and ask.stream and whole is not None:
            self._first_byte()
            await send_frames(self.send, _as(headers, EVENT_STREAM), self.dialect.replay(ask, whole))
            return
        body = reply.body
        if body is None or whole is not reply.whole:
            body, headers = orjson.dumps(whole), _as(headers, JSON)
        self._first_byte()
        await send_whole(self.send, reply.status, headers, body)

    async def _live(self, ask: Ask, reply: Reply, events: Any) -> None:
        """A stream, event by event as it comes; a break after the first byte is told inside the stream."""
        self.decision.backend, self.decision.status = reply.backend.name, reply.status
        send, relay, added = self.send, self.dialect.relay, reply.logprobs_added
        self.started = True
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": self._headers(list(reply.headers))}
        )
        try:
            async for event in events:
                frame = relay(ask, event, logprobs=added)
                if frame:
                    if self.decision.first_token is None:
                        self._first_byte()
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
        except (Problem, UpstreamError, FlightError) as error:
            problem = error if isinstance(error, Problem) else Problem(502, "upstream_failed", str(error))
            self.decision.error = problem.code
            await send({"type": "http.response.body", "body": self.dialect.error_frame(problem), "more_body": True})
        if reply.failed is not None:
            self.decision.error = reply.failed
        await send({"type": "http.response.body", "body": b""})

    async def _refuse(self, problem: Problem) -> None:
        """An error in the dialect's own shape; inside the stream when one has begun."""
        decision = self.decision
        decision.error = problem.code
        if isinstance(problem, NoAnswer):
            decision.attempts = problem.attempts
        if self.started:
            return
        decision.status = problem.status
        headers = self._headers([JSON])
        if problem.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(problem.retry_after))))
        if problem.status in (408, 413):
            headers.append((b"connection", b"close"))
        await send_whole(self.send, problem.status, headers, self.dialect.error(problem))

    def _headers(self, headers: Headers) -> Headers:
        """`headers` with ours behind them."""
        decision = self.decision
        headers.append((b"x-sluice-request", decision.id.encode()))
        if decision.cache != "none":
            headers.append((b"x-sluice-cache", _SHOWN[decision.cache]))
        if decision.backend:
            headers.append((b"x-sluice-backend", decision.backend.encode()))
        if self.passage is not None:
            headers += self.passage.headers()
        return headers

    def _saved(self, route: Route, usage: Usage) -> bytes:
        """What the reference would have cost, as its header says it; empty where it has no price."""
        reference = self.parts.ledger.reference(route, usage)
        return f"{text(reference.cost)} {reference.currency}".encode() if reference.priced else b""

    def _count(self, reply: Reply) -> None:
        """Tokens of an answer, as far as it came; its length where the upstream tells none."""
        if self.passage is not None:
            self.passage.reply = reply
        last = reply.attempts[-1] if reply.attempts else None
        if last is not None and last.usage is not None and not last.estimated:
            self.decision.usage = last.usage
            return
        if reply.whole is None and reply.assembler is not None:
            try:
                reply.whole = reply.assembler.whole()
            except ValueError:
                return
        if reply.whole is not None:
            self.decision.usage = self.dialect.usage(reply.whole)
            if self.decision.usage is None:
                self.decision.answer_chars = len(self.dialect.answer_text(reply.whole))

    def _first_byte(self) -> None:
        self.decision.first_token = time.perf_counter() - self.clock

    def _cut_short(self, *, left: bool) -> None:
        self.decision.error = "caller_left" if left else "caller_too_slow"
        if not self.started:
            self.decision.status = CLIENT_CLOSED


_SHOWN: dict[CacheKind, bytes] = {
    "identical": b"identical",
    "paraphrase": b"paraphrase",
    "label": b"label",
    "template": b"template",
    "stale": b"identical",
    "flight": b"miss",
    "miss": b"miss",
    "bypass": b"bypass",
}
"""What `x-sluice-cache` says: a follower's answer is new, a stale one's strategy is identical reuse."""


def _as(headers: Headers, kind: tuple[bytes, bytes]) -> Headers:
    """`headers` with another content type."""
    return [kind, *(pair for pair in headers if pair[0] != b"content-type")]
