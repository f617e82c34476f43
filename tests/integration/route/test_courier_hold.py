"""Managed models: held while they start, and spread over their replicas."""

import asyncio

import pytest

from doubles.behaviours import text
from doubles.calling import CALLER, ONCE, ask, backend, calling, resilient
from doubles.scripted import Gate, Scripted
from sluice_sidecar.config import Endpoints
from sluice_sidecar.route.reply import NoAnswer


async def test_a_request_is_held_until_the_model_is_ready() -> None:
    async with Scripted() as up, calling() as desk:
        up.answer(text("Hi"))
        held = asyncio.create_task(desk.courier.ask(ask(), backend(None, managed="smol"), CALLER, ONCE))
        await asyncio.sleep(0)
        assert not held.done()
        desk.endpoints.update(Endpoints(models={"smol": (up.url,)}))
        assert (await held).status == 200


async def test_a_model_that_does_not_start_in_time() -> None:
    async with calling() as desk:
        with pytest.raises(NoAnswer, match="smol") as caught:
            await desk.courier.ask(ask(), backend(None, managed="smol"), CALLER, resilient(hold=0.01))
    assert (caught.value.status, caught.value.code) == (503, "model_starting")
    assert caught.value.retry_after is not None


async def test_replicas_share_calls_by_how_busy_they_are() -> None:
    gate = Gate()
    async with Scripted() as one, Scripted() as two, calling() as desk:
        desk.endpoints.update(Endpoints(models={"smol": (one.url, two.url)}))
        one.otherwise(text(gate=gate))
        two.otherwise(text(gate=gate))
        small = backend(None, managed="smol")
        calls = [asyncio.create_task(desk.courier.ask(ask(), small, CALLER, ONCE)) for _ in range(4)]
        await one.arrived(2)
        await two.arrived(2)
        gate.open()
        await asyncio.gather(*calls)
        assert (one.count, two.count) == (2, 2)


async def test_a_stream_keeps_its_replica_busy_until_it_is_closed() -> None:
    gate = Gate()
    async with Scripted() as one, Scripted() as two, calling() as desk:
        desk.endpoints.update(Endpoints(models={"smol": (one.url, two.url)}))
        one.answer(text(["a", "b"], gate=gate)).otherwise(text())
        two.otherwise(text())
        small = backend(None, managed="smol")
        reply = await desk.courier.ask(ask(stream=True), small, CALLER, ONCE)
        await desk.courier.ask(ask(), small, CALLER, ONCE)
        assert (one.count, two.count) == (1, 1)
        assert reply.events is not None
        await reply.events.aclose()
        await desk.courier.ask(ask(), small, CALLER, ONCE)
        assert (one.count, two.count) == (2, 1)
