"""A route's backends, asked in the order that its strategy and its fallbacks say, until one answers."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from random import random
from time import monotonic

from sluice_sidecar import config
from sluice_sidecar.ask import Ask, Caller, Problem
from sluice_sidecar.config import Family, Route
from sluice_sidecar.route.classify import Embed
from sluice_sidecar.route.mirror import Measured, Mirror
from sluice_sidecar.route.reply import Attempt, NoAnswer, Reply
from sluice_sidecar.route.strategies.cascade import Cascade
from sluice_sidecar.route.strategies.single import Single
from sluice_sidecar.route.strategies.strategy import Strategy
from sluice_sidecar.route.strategies.task import Task
from sluice_sidecar.route.strategies.weighted import Weighted
from sluice_sidecar.upstream.courier import Courier, not_spoken

PATIENCE = 2.0
"""Longest wait before a backend is asked again while another is left to ask, seconds."""

CHARACTERS_PER_TOKEN = 4
"""For the estimate of whether an ask fits a context window: bytes of its body, markup and all, a token."""


LEAST = 0.005
"""Seconds that must be left for another backend to be asked; timers end a little early or late."""


class Router:
    """One Route at work. Built for a Config and replaced with it; what should outlive it is carried over."""

    def __init__(
        self,
        route: Route,
        courier: Courier,
        *,
        embed: Embed | None = None,
        carry_over: "Router | None" = None,
        mirrored: Measured | None = None,
        rng: Callable[[], float] = random,
    ) -> None:
        """`carry_over`: the router of the same route in the Config before. Raises ValueError for a route that can never
        work: a check that cannot be built, or a backend that is named and not there."""
        self.route = route
        self._courier = courier
        self._backends = route.backends
        self._resilience = route.resilience
        used = dict.fromkeys([*_names(route.strategy), *route.fallbacks])
        missing = [name for name in used if name not in route.backends]
        if route.mirror is not None and route.mirror.backend not in route.backends:
            missing.append(route.mirror.backend)
        if missing:
            raise ValueError(f"route {route.name}: no backend is named {', '.join(missing)}")
        self._orders = {name: (name, *(other for other in route.fallbacks if other != name)) for name in used}
        self._speaking = _by_family(used, route)
        windows = [w for name in used if (w := route.backends[name].context_window) is not None]
        self._always_fits = min(windows, default=math.inf) * CHARACTERS_PER_TOKEN
        self._cascade: Cascade | None = None
        self._strategy: Strategy | None = None
        if isinstance(route.strategy, config.Cascade):
            self._cascade = Cascade(route.strategy, route.backends, courier, route.resilience)
        else:
            self._strategy = _strategy(route.strategy, embed, None if carry_over is None else carry_over._strategy)
        self._mirror: Mirror | None = None
        if route.mirror is not None:
            mirror = route.backends[route.mirror.backend]
            self._mirror = Mirror(route.mirror, mirror, courier, route.resilience, measured=mirrored, rng=rng)

    async def answer(self, ask: Ask, caller: Caller) -> Reply:
        """One answer. A backend that fails before its first byte was given out is followed by the fallbacks; when all
        fail, the last error that an upstream told is the answer, as it came, and NoAnswer is raised when none told any.
        Raises Problem(400) where no backend speaks the caller's dialect."""
        able = self._able(ask)
        if self._mirror is not None:
            self._mirror.offer(ask, caller)
        if self._strategy is not None:
            names = self._order(await self._strategy.choose(ask, able), able)
            if len(names) == 1:
                return await self._courier.ask(ask, self._backends[names[0]], caller, self._resilience)
            return await self._first_of(names, ask, caller)
        return await self._cascaded(ask, caller, able)

    @property
    def verdicts(self) -> Mapping[str, int]:
        """Of a cascade: how often its judged stages were accepted, and why not."""
        return {} if self._cascade is None else self._cascade.verdicts

    async def warm(self) -> None:
        """Fits the task classifier, if there is one, so that the first request need not wait for it."""
        if isinstance(self._strategy, Task) and self._strategy.classifier is not None:
            await self._strategy.classifier.fit()

    async def settled(self) -> None:
        """Waits for mirrored copies that are under way."""
        if self._mirror is not None:
            await self._mirror.settled()

    async def aclose(self) -> None:
        """Aborts mirrored copies that are under way."""
        if self._mirror is not None:
            await self._mirror.aclose()

    async def _cascaded(self, ask: Ask, caller: Caller, able: Collection[str]) -> Reply:
        assert self._cascade is not None
        stages = [name for name in self._cascade.stages if name in able] or [self._cascade.stages[-1]]
        if not ask.dialect.streams:
            # Nothing is generated that could be judged, and embeddings of two models do not mix: always the last.
            return await self._first_of(self._order(stages[-1], able), ask, caller)
        deadline = monotonic() + self._resilience.total
        spent: list[Attempt] = []
        reply = await self._cascade.judged(ask, caller, stages[:-1], deadline, spent)
        if reply is not None:
            reply.attempts = (*spent, *reply.attempts)
            return reply
        return await self._first_of(self._order(stages[-1], able), ask, caller, deadline, spent)

    async def _first_of(
        self,
        names: tuple[str, ...],
        ask: Ask,
        caller: Caller,
        deadline: float | None = None,
        spent: Iterable[Attempt] = (),
    ) -> Reply:
        """The first good answer of these backends, or the best that can be said of their failure."""
        started = monotonic()
        attempts = list(spent)
        told: Reply | None = None
        problem: Problem | None = None
        for name in names:
            if deadline is not None and (told or problem) and monotonic() > deadline - LEAST:
                break  # a backend that can only time out is not asked
            try:
                reply = await self._courier.ask(
                    ask,
                    self._backends[name],
                    caller,
                    self._resilience,
                    deadline=deadline,
                    patience=math.inf if name == names[-1] else PATIENCE,
                )
            except Problem as failed:
                if isinstance(failed, NoAnswer):
                    attempts += failed.attempts
                if failed.status < 500:
                    raise
                problem = failed
            else:
                attempts += reply.attempts
                told = reply
                if not reply.retriable:
                    break
            if deadline is None:
                deadline = started + self._resilience.total
        if told is not None:
            told.attempts = tuple(attempts)
            return told
        assert problem is not None
        if isinstance(problem, NoAnswer):
            problem.attempts = tuple(attempts)
        raise problem

    def _able(self, ask: Ask) -> Collection[str]:
        """Backends that speak the ask's dialect and, where any of these does, have room for it."""
        speaking = self._speaking.get(ask.dialect.family)
        if speaking is None:
            raise not_spoken([self._backends[name] for name in self._orders], ask.dialect)
        if len(ask.raw) <= self._always_fits:
            return speaking
        tokens = len(ask.raw) / CHARACTERS_PER_TOKEN
        return {name for name in speaking if tokens <= (self._backends[name].context_window or math.inf)} or speaking

    def _order(self, name: str, able: Collection[str]) -> tuple[str, ...]:
        order = self._orders[name]
        if len(able) == len(self._orders):
            return order
        return tuple(other for other in order if other in able) or order


def _names(strategy: config.Strategy) -> Iterable[str]:
    """The backends that a strategy may choose."""
    match strategy:
        case config.Single():
            return (strategy.backend,)
        case config.Weighted():
            return strategy.weights
        case config.Task():
            return (*strategy.backends.values(), strategy.default)
        case config.Cascade():
            return strategy.stages


def _by_family(names: Iterable[str], route: Route) -> dict[Family, frozenset[str]]:
    families: tuple[Family, ...] = ("openai", "anthropic")
    speaking = {f: frozenset(name for name in names if f in route.backends[name].families) for f in families}
    return {family: able for family, able in speaking.items() if able}


def _strategy(
    settings: config.Single | config.Weighted | config.Task, embed: Embed | None, before: Strategy | None
) -> Strategy:
    if isinstance(settings, config.Weighted):
        weighted = Weighted(settings)
        if isinstance(before, Weighted):
            weighted.carry_over(before)
        return weighted
    if isinstance(settings, config.Task):
        return Task(settings, embed, before if isinstance(before, Task) else None)
    return Single(settings)
