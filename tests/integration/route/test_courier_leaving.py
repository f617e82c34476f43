"""A caller that leaves frees the upstream at once, whatever state the call is in."""

import asyncio
from collections.abc import Callable

import pytest

from doubles.behaviours import endless, error, raw_body, stall, text
from doubles.calling import CALLER, Calling, ask, backend, calling, resilient
from doubles.scripted import Behaviour, Call, Gate, Scripted
from sluice_sidecar.config import Backend
from sluice_sidecar.route.reply import Reply

SOON = 2.0
"""Far more than it takes, seconds; only a failing test waits for it."""


async def half_a_body(call: Call) -> None:
    await call.head(200, {"content-type": "application/json", "content-length": "1000"})
    await call.write(b'{"choices":')
    await Gate().wait()


def start(desk: Calling, target: Backend, *, stream: bool = False) -> "asyncio.Task[Reply]":
    return asyncio.create_task(desk.courier.ask(ask(stream=stream), target, CALLER, resilient()))


async def cancel(task: "asyncio.Task[Reply]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "behaviour",
    [stall, lambda: stall(after="head"), lambda: half_a_body],
    ids=["before the head", "after the head", "in mid body"],
)
async def test_cancelled(behaviour: Callable[[], Behaviour], stream: bool) -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(behaviour())
        task = start(desk, backend(up.url, always_stream=stream), stream=stream)
        request = await up.arrived(1)
        await asyncio.sleep(0.02)  # lets the head and what follows it arrive, if the behaviour sends them
        await cancel(task)
        await asyncio.wait_for(request.gone.wait(), SOON)


async def test_closed_in_mid_stream() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(endless())
        reply = await start(desk, backend(up.url), stream=True)
        assert reply.events is not None
        for _ in range(5):
            await anext(reply.events)
        await reply.events.aclose()
        await asyncio.wait_for(up.requests[0].gone.wait(), SOON)
        with pytest.raises(StopAsyncIteration):
            await anext(reply.events)
    assert reply.attempts[0].outcome == "left"


async def test_cancelled_while_waiting_for_the_next_event() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(stall(after="piece"))
        reply = await start(desk, backend(up.url), stream=True)
        events = reply.events
        assert events is not None

        async def read() -> None:
            async for _ in events:
                pass

        reader = asyncio.create_task(read())
        await asyncio.sleep(0.02)
        reader.cancel()
        await asyncio.wait([reader])
        await asyncio.wait_for(up.requests[0].gone.wait(), SOON)


async def test_cancelled_while_an_always_streaming_backend_is_assembled() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(endless())
        task = start(desk, backend(up.url, always_stream=True))
        request = await up.arrived(1)
        await asyncio.sleep(0.02)
        await cancel(task)
        await asyncio.wait_for(request.gone.wait(), SOON)


async def test_cancelled_between_tries() -> None:
    asked_to_wait = asyncio.Event()

    async def forever(_: float) -> None:
        asked_to_wait.set()
        await asyncio.Event().wait()

    async with Scripted() as up, calling() as desk:
        up.answer(error(503)).otherwise(text())
        desk.courier._sleep = forever
        task = start(desk, backend(up.url))
        await asked_to_wait.wait()
        await cancel(task)
        assert up.count == 1


async def test_cancelled_while_held_for_a_model() -> None:
    async with calling() as desk:
        task = start(desk, backend(None, managed="smol"))
        await asyncio.sleep(0)
        await cancel(task)


async def test_an_answer_of_more_than_is_taken_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice_sidecar.upstream.courier.WHOLE_LIMIT", 100)
    async with Scripted() as up, calling() as desk:
        up.answer(raw_body(b"x" * 101), endless())
        for always in (False, True):
            with pytest.raises(Exception, match=r"larger|more than") as caught:
                await start(desk, backend(up.url, always_stream=always))
            assert getattr(caught.value, "code", "") == "answer_too_large"
        await asyncio.wait_for(up.requests[1].gone.wait(), SOON)
