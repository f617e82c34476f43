"""Mirrored requests: measured and dropped, and never in the way."""

import asyncio
from collections.abc import Sequence

import pytest

from doubles.behaviours import error, stall, text
from doubles.calling import CALLER, Calling, ask, backend, calling, resilient
from doubles.scripted import Gate, Scripted
from sluice_sidecar.ask import Ask, Caller, Usage
from sluice_sidecar.config import Backend, Mirror, Route, Single
from sluice_sidecar.route import mirror
from sluice_sidecar.route.reply import Attempt
from sluice_sidecar.route.router import Router


class Measurements:
    def __init__(self) -> None:
        self.seen: list[tuple[str, tuple[Attempt, ...]]] = []

    def __call__(self, ask: Ask, caller: Caller, backend: Backend, attempts: Sequence[Attempt]) -> None:
        self.seen.append((backend.name, tuple(attempts)))


def mirroring(desk: Calling, main: Scripted, copy: Scripted, measured: Measurements, percent: float = 100) -> Router:
    route = Route(
        name="r",
        models=("auto",),
        backends={"main": backend(main.url, "main"), "candidate": backend(copy.url, "candidate", model="new")},
        strategy=Single(backend="main"),
        reference="main",
        resilience=resilient(),
        mirror=Mirror(backend="candidate", percent=percent),
    )
    draws = iter([n / 10 for n in range(10)] * 10)
    return Router(route, desk.courier, mirrored=measured, rng=lambda: next(draws))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_copy_is_measured_and_dropped(stream: bool) -> None:
    measured = Measurements()
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.answer(text("main"))
        copy.answer(text("candidate", usage=(5, 1, 2)))
        router = mirroring(desk, main, copy, measured)
        reply = await router.answer(ask(stream=stream), CALLER)
        await router.settled()
        if reply.events is not None:
            await reply.events.aclose()
        assert copy.requests[0].json["model"] == "new"
    assert reply.backend.name == "main"
    ((name, (attempt,)),) = measured.seen
    assert (name, attempt.outcome, attempt.usage) == ("candidate", 200, Usage(5, 1, 2))


async def test_the_caller_does_not_wait_for_it() -> None:
    gate = Gate()
    measured = Measurements()
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.answer(text())
        copy.answer(stall(gate))
        router = mirroring(desk, main, copy, measured)
        assert (await asyncio.wait_for(router.answer(ask(), CALLER), 2.0)).status == 200
        assert measured.seen == []
        gate.open()
        await router.settled()
        assert len(measured.seen) == 1


async def test_a_percentage_is_copied() -> None:
    measured = Measurements()
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.otherwise(text())
        copy.otherwise(text())
        router = mirroring(desk, main, copy, measured, percent=30)
        for _ in range(20):
            await router.answer(ask(), CALLER)
        await router.settled()
        assert (main.count, copy.count) == (20, 6)


async def test_a_candidate_that_fails_is_asked_once_and_nobody_hears_of_it() -> None:
    measured = Measurements()
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.answer(text())
        copy.otherwise(error(500))
        router = mirroring(desk, main, copy, measured)
        assert (await router.answer(ask(), CALLER)).status == 200
        await router.settled()
        assert copy.count == 1
    assert [attempt.outcome for attempt in measured.seen[0][1]] == [500]


async def test_copies_under_way_are_bounded() -> None:
    measured = Measurements()
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.otherwise(text())
        copy.otherwise(stall(gate := Gate()))
        router = mirroring(desk, main, copy, measured)
        for _ in range(mirror.CONCURRENCY + 3):
            await router.answer(ask(), CALLER)
        await copy.arrived(mirror.CONCURRENCY)
        gate.open()
        await router.settled()
        assert copy.count == mirror.CONCURRENCY
        assert len(measured.seen) == mirror.CONCURRENCY


async def test_closing_the_router_aborts_copies() -> None:
    async with Scripted() as main, Scripted() as copy, calling() as desk:
        main.answer(text())
        copy.answer(stall())
        router = mirroring(desk, main, copy, Measurements())
        await router.answer(ask(), CALLER)
        request = await copy.arrived(1)
        await router.aclose()
        await asyncio.wait_for(request.gone.wait(), 2.0)
