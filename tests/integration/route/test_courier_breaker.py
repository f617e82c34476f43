"""A failing backend is left alone; one request finds out when it is back."""

import asyncio

import pytest

from doubles.behaviours import error, error_inside, half_event, stall, text
from doubles.calling import CALLER, ask, backend, calling, resilient
from doubles.scripted import Behaviour, Gate, Scripted
from sluice_sidecar.ask import Problem
from sluice_sidecar.route.breaker import State
from sluice_sidecar.route.reply import NoAnswer

RULES = resilient(attempts=1, failures=2)


@pytest.mark.parametrize(
    "behaviour", [error(500), error(529), error_inside(), half_event()], ids=["500", "529", "200", "broken stream"]
)
async def test_opens_and_asks_no_more(behaviour: Behaviour) -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(behaviour)
        small = backend(up.url)
        for _ in range(2):
            reply = await desk.courier.ask(ask(stream=behaviour.__qualname__.startswith("half")), small, CALLER, RULES)
            if reply.events is not None:
                with pytest.raises(Problem):
                    async for _ in reply.events:
                        pass
        with pytest.raises(NoAnswer, match="left alone") as caught:
            await desk.courier.ask(ask(), small, CALLER, RULES)
        assert up.count == 2
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (503, "backend_unavailable", 10)
    assert caught.value.attempts == ()


@pytest.mark.parametrize("status", [400, 404, 429])
async def test_stays_closed_for_answers_that_do_not_speak_against_the_backend(status: int) -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(error(status))
        small = backend(up.url)
        for _ in range(4):
            await desk.courier.ask(ask(), small, CALLER, RULES)
        assert up.count == 4


async def test_half_open_sends_one_trial_and_others_do_not_wait_for_it() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(error(500), error(500), stall(gate), text("back"))
        small = backend(up.url)
        for _ in range(2):
            await desk.courier.ask(ask(), small, CALLER, RULES)
        desk.clock.now += 10
        trial = asyncio.create_task(desk.courier.ask(ask(), small, CALLER, RULES))
        await up.arrived(3)
        with pytest.raises(NoAnswer, match="left alone"):
            await desk.courier.ask(ask(), small, CALLER, RULES)
        gate.open()
        assert (await trial).status == 200
        assert (await desk.courier.ask(ask(), small, CALLER, RULES)).status == 200


async def test_a_trial_that_is_a_stream_closes_it_with_its_first_event() -> None:
    gate = Gate()
    async with Scripted() as up, calling() as desk:
        up.answer(error(500), error(500), text(["a", "b"], gate=gate), text())
        small = backend(up.url)
        for _ in range(2):
            await desk.courier.ask(ask(), small, CALLER, RULES)
        desk.clock.now += 10
        trial = await desk.courier.ask(ask(stream=True), small, CALLER, RULES)
        assert (await desk.courier.ask(ask(), small, CALLER, RULES)).status == 200
        assert trial.events is not None
        await trial.events.aclose()


async def test_a_trial_whose_caller_leaves_is_no_verdict() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(500), error(500), stall(), text())
        small = backend(up.url)
        for _ in range(2):
            await desk.courier.ask(ask(), small, CALLER, RULES)
        desk.clock.now += 10
        trial = asyncio.create_task(desk.courier.ask(ask(), small, CALLER, RULES))
        await up.arrived(3)
        trial.cancel()
        await asyncio.wait([trial])
        assert (await desk.courier.ask(ask(), small, CALLER, RULES)).status == 200
        assert desk.breakers.of(small, RULES.breaker).state is State.CLOSED


async def test_an_outage_that_begins_between_tries_ends_them() -> None:
    rules = resilient(attempts=5, failures=2)
    async with Scripted() as up, calling() as desk:
        up.otherwise(error(500, "down"))
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, rules)
        assert up.count == 2
    assert reply.status == 500
