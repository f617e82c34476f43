"""The outbox keeps what it took, gives each webhook to one sender at a time, and lets only that one settle it."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from doubles.queue_stores import STORES, address, opened_store
from doubles.redis_server import RunningRedis
from sluice_sidecar.batch.outbox import (
    LEASE,
    LOOKED_AT,
    PER_ORIGIN,
    PER_TENANT,
    Count,
    Outbox,
    State,
    Webhook,
    of_tenant,
    origin_of,
)

A, B = "https://a.example.com/", "https://b.example.com/"


def webhook(number: int, url: str = A, batch: str | None = None) -> Webhook:
    return Webhook(f"evt_{number}", "night", url, batch or f"batch_{number}", b"{}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"), "--appendfsync", "always")
    asyncio.run(running.start())
    yield running
    running.kill()


@pytest.fixture(params=STORES)
def where(request: pytest.FixtureRequest, tmp_path: Path, server: RunningRedis) -> str:
    return address(request.param, tmp_path, server)


@pytest.fixture
async def outbox(where: str) -> AsyncIterator[Outbox]:
    async with opened_store(where) as store:
        yield store.outbox


async def test_what_it_took_is_there_after_a_restart(where: str) -> None:
    async with opened_store(where) as first:
        assert await first.outbox.add(webhook(1), 10.0)
    async with opened_store(where) as second:
        assert [claimed.webhook for claimed in await second.outbox.claim(10.0, 10, ())] == [webhook(1)]


async def test_an_id_is_taken_once(outbox: Outbox) -> None:
    assert await outbox.add(webhook(1), 10.0)
    assert not await outbox.add(webhook(1), 11.0)
    assert len(await outbox.claim(20.0, 10, ())) == 1


async def test_a_claim_holds_for_its_lease_and_the_late_claimer_settles_nothing(outbox: Outbox) -> None:
    await outbox.add(webhook(1), 10.0)
    (slow,) = await outbox.claim(10.0, 10, ())
    assert await outbox.claim(10.0 + LEASE - 1, 10, ()) == []
    assert await outbox.next_due(()) == 10.0 + LEASE
    (second,) = await outbox.claim(10.0 + LEASE, 10, ())
    assert (slow.tries, second.tries, second.first) == (1, 2, 10.0)
    await outbox.postpone(slow, 9_999.0, "late")
    await outbox.settle(second, State.DELIVERED)
    await outbox.settle(slow, State.GIVEN_UP, "late")
    (told,) = await outbox.of_batch("batch_1")
    assert (told.state, told.note) == (State.DELIVERED, "")


async def test_one_address_does_not_take_all_room_and_some_can_be_left_out(outbox: Outbox) -> None:
    for number in range(20):
        await outbox.add(webhook(number), 1.0)
    await outbox.add(webhook(20, B), 2.0)
    claimed = await outbox.claim(10.0, 15, ())
    assert [one.webhook.url for one in claimed] == [A] * PER_ORIGIN + [B]
    assert await outbox.claim(10.0, 15, {A}) == []
    assert await outbox.next_due({A, B}) == float("inf")


async def test_an_address_with_much_to_do_hides_no_other_for_longer_than_a_claim(outbox: Outbox) -> None:
    for number in range(LOOKED_AT + 1):
        await outbox.add(webhook(number), 1.0)
    await outbox.add(webhook(LOOKED_AT + 1, B), 2.0)
    assert {one.webhook.url for one in await outbox.claim(10.0, 15, ())} == {A}
    assert [one.webhook.url for one in await outbox.claim(10.0, 15, {A})] == [B]


async def test_a_later_event_of_a_batch_waits_for_the_earlier(outbox: Outbox) -> None:
    await outbox.add(webhook(1, A, "batch"), 10.0)
    await outbox.add(webhook(2, A, "batch"), 10.0)
    await outbox.add(webhook(3, B, "batch"), 10.0)
    first, other = await outbox.claim(10.0, 10, ())
    assert (first.webhook.id, other.webhook.id) == ("evt_1", "evt_3")
    await outbox.postpone(first, 500.0, "failed")
    assert await outbox.claim(100.0, 10, ()) == []
    (again,) = [one for one in await outbox.claim(500.0, 10, ()) if one.webhook.url == A]
    await outbox.settle(again, State.GIVEN_UP)
    assert [one.webhook.id for one in await outbox.claim(500.0, 10, ())] == ["evt_2"]


async def test_a_try_that_was_none_does_not_count(outbox: Outbox) -> None:
    await outbox.add(webhook(1), 10.0)
    (claimed,) = await outbox.claim(10.0, 10, ())
    await outbox.postpone(claimed, 60.0, counts=False)
    (claimed,) = await outbox.claim(60.0, 10, ())
    assert (claimed.tries, claimed.first) == (1, 60.0)


async def test_a_replay_sends_a_batch_again_or_all_that_failed(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        await outbox.add(webhook(number), 10.0)
    delivered, given_up, _ = await outbox.claim(10.0, 10, ())
    await outbox.settle(delivered, State.DELIVERED)
    await outbox.settle(given_up, State.GIVEN_UP, "why")
    assert await outbox.replay(20.0) == 1
    assert [one.webhook.id for one in await outbox.claim(20.0, 10, ())] == ["evt_2"]
    assert await outbox.replay(30.0, "batch_1") == 1
    (again,) = await outbox.claim(30.0, 10, ())
    assert (again.webhook.id, again.tries, again.first) == ("evt_1", 1, 30.0)
    assert await outbox.replay(40.0, "batch_unknown") == 0


async def test_what_is_settled_is_forgotten_in_time_and_what_waits_never(outbox: Outbox) -> None:
    await outbox.add(webhook(1), 10.0)
    await outbox.add(webhook(2), 10.0)
    settled, _ = await outbox.claim(10.0, 10, ())
    await outbox.settle(settled, State.DELIVERED)
    assert await outbox.forget(10.0) == 0
    assert await outbox.forget(1e9) == 1
    assert await outbox.of_batch("batch_1") == []
    assert len(await outbox.of_batch("batch_2")) == 1


async def test_nothing_that_is_shown_holds_an_address(outbox: Outbox) -> None:
    await outbox.add(webhook(1, "https://a.example.com/token"), 10.0)
    (claimed,) = await outbox.claim(10.0, 10, ())
    assert "token" not in repr(claimed)


async def test_a_tenant_with_many_addresses_leaves_room_for_another(outbox: Outbox) -> None:
    for number in range(LOOKED_AT + 1):
        url = f"https://h{number % 40}.example.com/{number}"
        await outbox.add(Webhook(f"evt_{number}", "night", url, f"b{number}", b"{}", "greedy"), 1.0)
    await outbox.add(Webhook("evt_other", "night", "https://z.example.com/", "b", b"{}", "other"), 2.0)
    assert [one.webhook.tenant for one in await outbox.claim(10.0, 32, ())] == ["greedy"] * PER_TENANT
    (claimed,) = await outbox.claim(10.0, 32, {of_tenant("greedy")})
    assert claimed.webhook.tenant == "other"


async def test_many_paths_of_one_origin_are_one(outbox: Outbox) -> None:
    for number in range(20):
        await outbox.add(Webhook(f"evt_{number}", "night", f"{B}/{number}?t", f"b{number}", b"{}"), 1.0)
    assert len(await outbox.claim(10.0, 32, ())) == PER_ORIGIN
    assert await outbox.claim(10.0, 32, {origin_of(B)}) == []


async def test_it_counts_by_window_address_and_state_and_says_why_and_when(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        await outbox.add(webhook(number), 10.0)
    await outbox.add(webhook(4, B), 10.0)
    await outbox.add(Webhook("evt_5", "day", B, "batch_5", b"{}"), 10.0)
    delivered, failed, _, _, other = await outbox.claim(10.0, 10, ())
    await outbox.settle(delivered, State.DELIVERED)
    await outbox.postpone(failed, 400.0, "it answered 500")
    await outbox.settle(other, State.GIVEN_UP, "it answered 404")
    found = {(one.window, one.url, one.state): one for one in await outbox.counts()}
    assert {name: one.number for name, one in found.items()} == {
        ("night", A, State.DELIVERED): 1, ("night", A, State.WAITING): 2, ("night", B, State.WAITING): 1,
        ("day", B, State.GIVEN_UP): 1,
    }  # fmt: skip
    assert found["night", A, State.WAITING] == Count("night", A, State.WAITING, 2, 10.0 + LEASE, "it answered 500")
    assert found["day", B, State.GIVEN_UP].note == "it answered 404"
    assert await outbox.replay(20.0) == 1
    assert await outbox.forget(math.inf) == 1
    assert {one.state for one in await outbox.counts()} == {State.WAITING}


async def test_an_address_that_ended_takes_none_and_a_replay_opens_it(outbox: Outbox) -> None:
    many = 1_200
    for number in range(many):
        await outbox.add(webhook(number, A, f"batch_{number % 1_100}"), 10.0)
    await outbox.add(webhook(many, B), 10.0)
    assert await outbox.end(A, 20.0) == many
    assert [one.webhook.url for one in await outbox.claim(20.0, 10, ())] == [B]
    await outbox.add(webhook(many + 1), 30.0)
    (late,) = await outbox.of_batch(f"batch_{many + 1}")
    assert (late.state, late.note) == (State.GONE, "the address has said that it wants no more")
    assert await outbox.replay(40.0, since=25.0) == 1
    assert [one.webhook.id for one in await outbox.claim(40.0, 10, ())] == [f"evt_{many + 1}"]
    assert await outbox.replay(50.0, tenant="nobody") == 0
    assert await outbox.replay(50.0, tenant="") == many


async def test_replayed_together_a_batch_s_events_come_in_their_order_again(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        await outbox.add(webhook(number, A, "batch"), 10.0)
    for _ in range(2):
        (claimed,) = await outbox.claim(20.0, 10, ())
        await outbox.settle(claimed, State.DELIVERED)
    assert await outbox.replay(30.0, "batch") == 3
    told = []
    while claimed_now := await outbox.claim(30.0, 10, ()):
        (claimed,) = claimed_now
        told.append(claimed.webhook.id)
        await outbox.settle(claimed, State.DELIVERED)
    assert told == ["evt_1", "evt_2", "evt_3"]
    assert await outbox.next_due(()) == math.inf


async def test_a_tenant_sees_its_own_newest_first(outbox: Outbox) -> None:
    for number in range(12):
        await outbox.add(Webhook(f"evt_{number}", "night", A, f"b{number % 2}", b"{}", "anna"), float(number))
    await outbox.add(Webhook("evt_other", "night", A, "b0", b"{}", "bert"), 20.0)
    assert [one.webhook.id for one in await outbox.of_tenant("anna", None, 3)] == ["evt_11", "evt_10", "evt_9"]
    assert [one.webhook.id for one in await outbox.of_tenant("anna", "b0", 2)] == ["evt_10", "evt_8"]
    assert await outbox.of_tenant("bert", "b1", 5) == []
    assert await outbox.replay(30.0, "b0", tenant="bert") == 1
