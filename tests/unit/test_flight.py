"""Single flight: one call, many followers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sluice_sidecar.cache.flight import Flight, FlightError, Flights, Follower


def streaming(events: list[bytes], gate: asyncio.Event | None = None) -> Callable[[Flight], Awaitable[None]]:
    async def make(flight: Flight) -> None:
        flight.begin("head")
        for event in events:
            if not flight.push(event, len(event)):
                await flight.room()
        if gate is not None:
            await gate.wait()
        flight.finish("whole")

    return make


async def read(follower: Follower) -> list[bytes]:
    with follower:
        return [event async for event in follower]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_followers_get_every_event_from_the_first() -> None:
    flights, gate = Flights(), asyncio.Event()
    leader = flights.launch("k", streaming([b"a", b"b"], gate))
    assert await leader.head() == "head"
    assert await anext(leader) == b"a"
    late = flights.join("k")
    assert late is not None
    assert [await anext(late), await anext(late)] == [b"a", b"b"]
    gate.set()
    assert await late.result() == await leader.result() == "whole"
    assert await read(late) == []
    assert await read(leader) == [b"b"]


async def test_events_are_live() -> None:
    flights, gate = Flights(), asyncio.Event()
    follower = flights.launch("k", streaming([b"a"], gate))
    assert await asyncio.wait_for(anext(follower), 30) == b"a"
    assert not follower.flight.done
    gate.set()
    await follower.result()


async def test_a_finished_flight_cannot_be_joined() -> None:
    flights = Flights()
    follower = flights.launch("k", streaming([]))
    await follower.result()
    assert flights.join("k") is None
    assert len(flights) == 0


async def test_other_keys_are_other_flights() -> None:
    flights = Flights()
    follower = flights.launch("k", streaming([]))
    assert flights.join("other") is None
    assert flights.flying("k")
    await follower.result()


async def test_an_error_goes_to_all() -> None:
    async def fails(flight: Flight) -> None:
        flight.begin("head")
        flight.push(b"a", 1)
        await gate.wait()
        raise ValueError("broken")

    flights, gate = Flights(), asyncio.Event()
    leader = flights.launch("k", fails)
    other = flights.join("k")
    assert other is not None
    assert await anext(other) == b"a"
    gate.set()
    for follower in (leader, other):
        with pytest.raises(ValueError, match="broken"):
            await follower.result()
    with pytest.raises(ValueError, match="broken"):
        await anext(other)
    assert await leader.head() == "head"


async def test_an_error_before_the_head_is_raised_there() -> None:
    async def fails(flight: Flight) -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await Flights().launch("k", fails).head()


async def test_a_call_without_an_answer_is_an_error() -> None:
    async def forgets(flight: Flight) -> None:
        flight.begin("head")

    with pytest.raises(FlightError, match="without an answer"):
        await Flights().launch("k", forgets).result()


async def test_the_leader_may_leave() -> None:
    flights, gate = Flights(), asyncio.Event()
    leader = flights.launch("k", streaming([b"a"], gate))
    other = flights.join("k")
    assert other is not None
    await leader.head()
    leader.leave()
    gate.set()
    assert await other.result() == "whole"


async def test_the_last_to_leave_cancels_the_call() -> None:
    ended: list[str] = []

    async def waits(flight: Flight) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    flights = Flights()
    leader = flights.launch("k", waits)
    other = flights.join("k")
    assert other is not None
    await settled()
    leader.leave()
    leader.leave()
    await settled()
    assert ended == []
    other.leave()
    assert flights.join("k") is None, "nobody joins a call that is being cancelled"
    await settled()
    assert ended == ["cancelled"]


async def test_a_cancelled_follower_does_not_disturb_the_others() -> None:
    flights, gate = Flights(), asyncio.Event()
    leader = flights.launch("k", streaming([], gate))
    other = flights.join("k")
    assert other is not None
    waiting = asyncio.ensure_future(read(other))
    reading = asyncio.ensure_future(read(leader))
    await settled()
    waiting.cancel()
    await settled()
    gate.set()
    assert await reading == []


async def test_a_kept_flight_ends_without_followers() -> None:
    ended = asyncio.Event()

    async def refresh(flight: Flight) -> None:
        await asyncio.sleep(0)
        flight.finish()
        ended.set()

    Flights().launch("k", refresh, keep=True).leave()
    await asyncio.wait_for(ended.wait(), 30)


async def test_work_after_the_answer_goes_on_when_all_left() -> None:
    stored, gate = asyncio.Event(), asyncio.Event()

    async def make(flight: Flight) -> None:
        flight.finish("whole")
        await gate.wait()
        stored.set()

    follower = Flights().launch("k", make)
    assert await follower.result() == "whole"
    follower.leave()
    gate.set()
    await asyncio.wait_for(stored.wait(), 30)


async def test_beyond_the_buffer_nobody_joins_and_the_upstream_waits() -> None:
    pushed: list[int] = []

    async def floods(flight: Flight) -> None:
        flight.begin("head")
        for number in range(100):
            pushed.append(number)
            if not flight.push(number, 10):
                await flight.room()
        flight.finish()

    flights = Flights(buffer=100)
    leader = flights.launch("k", floods)
    await settled()
    assert len(pushed) == 11
    assert flights.join("k") is None
    assert [event async for event in leader] == list(range(100))


async def test_a_slow_follower_is_dropped_rather_than_hold_the_others_up() -> None:
    async def floods(flight: Flight) -> None:
        flight.begin("head")
        for number in range(100):
            if not flight.push(number, 10):
                await flight.room()
        flight.finish()

    flights = Flights(buffer=100)
    fast = flights.launch("k", floods)
    slow = flights.join("k")
    assert slow is not None
    assert [event async for event in fast] == list(range(100))
    with pytest.raises(FlightError, match="slowly"):
        await anext(slow)


async def test_who_waits_for_the_whole_holds_nobody_up() -> None:
    async def floods(flight: Flight) -> None:
        flight.begin("head")
        for number in range(100):
            if not flight.push(number, 10):
                await flight.room()
        flight.finish("whole")

    assert await asyncio.wait_for(Flights(buffer=100).launch("k", floods).result(), 30) == "whole"


async def test_a_stop_cancels_and_tells() -> None:
    flights = Flights()
    follower = flights.launch("k", streaming([], asyncio.Event()))
    await follower.head()
    await flights.close()
    with pytest.raises(FlightError, match="cancelled"):
        await follower.result()
