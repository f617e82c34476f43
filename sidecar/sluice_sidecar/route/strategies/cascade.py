"""Stages from cheap to dear: the first answer that is accepted goes to the caller, else the last stage's.

An answer that a caller streams is held until its first tokens have passed the confidence rule, then flows live; one
that is left is aborted upstream at once. With checks the whole answer is held. The caller never sees two answers, and
the last stage is never judged.
"""

import math
from collections import Counter, deque
from collections.abc import Sequence

from sluice_sidecar import config
from sluice_sidecar.ask import Ask, Caller, Problem, Usage
from sluice_sidecar.config import Backend, Resilience
from sluice_sidecar.route.checks import Checks
from sluice_sidecar.route.confidence import confident
from sluice_sidecar.route.reply import Attempt, Events, NoAnswer, Reply
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.sse import Event

SILENT = 8
"""Events of a stream without log-probs after which none are expected any more: roles and pings come first."""

PATIENCE = 1.0
"""Longest wait before a stage is asked again instead of going to the next, seconds."""


class Cascade:
    """One route's cascade. `verdicts` counts judgements: "accepted", "unsure", "no_logprobs", "failed" or a check's
    type."""

    __slots__ = ("_backends", "_checks", "_courier", "_resilience", "_rule", "stages", "verdicts")

    def __init__(
        self, settings: config.Cascade, backends: dict[str, Backend], courier: Courier, resilience: Resilience
    ) -> None:
        """Raises ValueError for a check that can never run."""
        self.stages = settings.stages
        self.verdicts: Counter[str] = Counter()
        self._backends, self._courier, self._resilience = backends, courier, resilience
        self._rule = settings.confidence
        self._checks = Checks(settings.checks, courier) if settings.checks else None

    async def judged(
        self, ask: Ask, caller: Caller, stages: Sequence[str], deadline: float, spent: list[Attempt]
    ) -> Reply | None:
        """The first accepted answer of `stages`, none of which is the last; None when all are to be passed over.

        `spent` gains the attempts of the stages passed over. Raises Problem only when time is up.
        """
        hold = self._checks is not None or not ask.stream
        for stage in stages:
            try:
                reply = await self._courier.ask(
                    ask,
                    self._backends[stage],
                    caller,
                    self._resilience,
                    logprobs=self._rule is not None,
                    stream=not hold,
                    deadline=deadline,
                    patience=PATIENCE,
                )
            except NoAnswer as problem:
                self.verdicts["failed"] += 1
                spent += problem.attempts
                continue
            except Problem:
                self.verdicts["failed"] += 1
                continue
            try:
                verdict = await self._verdict(ask, reply)
            except BaseException:
                if reply.events is not None:
                    await reply.events.aclose()
                raise
            self.verdicts[verdict] += 1
            reply.attempts[-1].verdict = verdict
            if verdict == "accepted":
                return reply
            spent += reply.attempts
        return None

    async def _verdict(self, ask: Ask, reply: Reply) -> str:
        if reply.failed is not None or not 200 <= reply.status < 300:
            if reply.events is not None:
                await reply.events.aclose()
            return "failed"
        if reply.events is not None:
            return "accepted" if self._rule is None else await self._prefix(ask, reply, reply.events, self._rule)
        whole = reply.whole or {}
        if self._rule is not None:
            logprobs = ask.dialect.token_logprobs(whole)
            if not logprobs:
                return "no_logprobs"
            if not confident(logprobs, self._rule):
                return "unsure"
        if self._checks is not None:
            refused = await self._checks.refused(ask, whole)
            if refused is not None:
                return refused
        return "accepted"

    async def _prefix(self, ask: Ask, reply: Reply, events: Events, rule: config.Confidence) -> str:
        """Holds a stream until its beginning can be judged; accepted, it goes on with what was held."""
        held: deque[Event] = deque()
        logprobs: list[float] = []
        silent = 0
        verdict = ""
        try:
            async for event in events:
                held.append(event)
                values = ask.dialect.event_logprobs(event)
                if values:
                    logprobs += values
                    if len(logprobs) >= rule.prefix:
                        break
                elif event.data is not None:
                    silent += 1
                    if not logprobs and silent >= SILENT:
                        break
        except Problem:
            verdict = "failed"
        if not verdict:
            verdict = "no_logprobs" if not logprobs else "accepted" if confident(logprobs, rule) else "unsure"
        if verdict == "accepted":
            reply.events = _Resumed(held, events)
            return verdict
        await events.aclose()
        attempt = reply.attempts[-1]
        if attempt.usage is None:
            # The upstream tells usage at the end only; what was generated until here is paid all the same.
            attempt.usage, attempt.estimated = Usage(math.ceil(len(ask.raw) / 4), 0, len(logprobs)), True
        return verdict


class _Resumed:
    """A stream whose beginning was held back."""

    __slots__ = ("_events", "_held")

    def __init__(self, held: deque[Event], events: Events) -> None:
        self._held, self._events = held, events

    def __aiter__(self) -> "_Resumed":
        return self

    async def __anext__(self) -> Event:
        return self._held.popleft() if self._held else await anext(self._events)

    async def aclose(self) -> None:
        self._held.clear()
        await self._events.aclose()
