"""The same backend is asked again: when, how often, how soon, and when not."""

import pytest

from doubles.behaviours import error, error_inside, half_event, invalid_json, reset, stall, text
from doubles.calling import CALLER, ask, backend, calling, resilient
from doubles.scripted import Behaviour, Scripted
from sluice_sidecar.ask import Problem
from sluice_sidecar.route.budget import RESERVE
from sluice_sidecar.route.reply import NoAnswer


@pytest.mark.parametrize(
    "behaviour",
    [error(408), error(409), error(429), error(500), error(502), error(503), error(504), error(529), reset(),
     error_inside()],
    ids=["408", "409", "429", "500", "502", "503", "504", "529", "reset", "200 with an error"],
)  # fmt: skip
async def test_is_asked_again_after(behaviour: Behaviour) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour, text("fine"))
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient())
        assert up.count == 2
    assert reply.status == 200
    assert reply.failed is None
    assert [attempt.outcome for attempt in reply.attempts][1:] == [200]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 501])
async def test_is_not_asked_again_after(status: int) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(status)).otherwise(text())
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient())
        assert up.count == 1
    assert reply.status == status


@pytest.mark.parametrize("behaviour", [invalid_json(), reset("head")], ids=["invalid JSON", "reset after the head"])
async def test_what_was_generated_once_is_not_asked_for_again(behaviour: Behaviour) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour).otherwise(text())
        with pytest.raises(NoAnswer):
            await desk.courier.ask(ask(), backend(up.url), CALLER, resilient())
        assert up.count == 1


async def test_a_first_token_timeout_is_not_waited_for_twice() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(stall()).otherwise(text())
        with pytest.raises(NoAnswer, match="begin to answer"):
            await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, resilient(first_token=0.05))
        assert up.count == 1


async def test_nothing_is_retried_after_the_first_byte() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(half_event()).otherwise(text())
        reply = await desk.courier.ask(ask(stream=True), backend(up.url), CALLER, resilient(attempts=3))
        assert reply.events is not None
        await anext(reply.events)
        with pytest.raises(Problem):
            async for _ in reply.events:
                pass
        assert up.count == 1


async def test_the_last_error_comes_back_as_it_came_when_all_tries_fail() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(503, "first"), error(500, "second"), error(429, "third"))
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient(attempts=3))
        assert up.count == 3
    assert reply.status == 429
    assert b"third" in (reply.body or b"")
    assert [attempt.outcome for attempt in reply.attempts] == [503, 500, 429]


async def test_an_upstreams_own_error_is_kept_when_the_retry_gets_no_answer() -> None:
    async with Scripted() as up, calling() as desk:
        # The client by itself tries once more where a kept connection is reset before a byte.
        up.answer(error(503, "busy"), reset(), reset())
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient())
    assert reply.status == 503
    assert [attempt.outcome for attempt in reply.attempts] == [503, "upstream_reset"]


async def test_waits_grow() -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(error(500))
        await desk.courier.ask(ask(), backend(up.url), CALLER, resilient(attempts=4))
    assert desk.waits == [0.1, 0.2, 0.4]


async def test_retry_after_is_obeyed() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(429, headers={"retry-after": "3"}), text())
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient())
    assert reply.status == 200
    assert desk.waits == [3.0]


async def test_a_retry_after_beyond_the_time_left_ends_it_at_once() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(429, headers={"retry-after": "11"})).otherwise(text())
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient(total=10.0))
        assert up.count == 1
    assert reply.status == 429
    assert (b"retry-after", b"11") in reply.headers
    assert desk.waits == []


async def test_patience_ends_it_where_another_backend_could_be_asked() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(error(429, headers={"retry-after": "3"})).otherwise(text())
        reply = await desk.courier.ask(ask(), backend(up.url), CALLER, resilient(), patience=2.0)
        assert up.count == 1
    assert reply.status == 429


async def test_the_budget_ends_retries_in_an_outage() -> None:
    calls = 30
    rules = resilient(budget=0.1, failures=1000)
    async with Scripted() as up, calling() as desk:
        up.otherwise(error(503))
        for _ in range(calls):
            reply = await desk.courier.ask(ask(), backend(up.url), CALLER, rules)
            assert reply.status == 503
        # Thirty requests earn three retries on top of the reserve.
        assert up.count <= calls + RESERVE + 3
        before = up.count
        await desk.courier.ask(ask(), backend(up.url), CALLER, rules)
        assert up.count == before + 1
        desk.clock.now += 60
        await desk.courier.ask(ask(), backend(up.url), CALLER, rules)
        assert up.count == before + 3


async def test_no_budget_no_retry() -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(error(503))
        await desk.courier.ask(ask(), backend(up.url), CALLER, resilient(budget=0.0))
        assert up.count == 1
