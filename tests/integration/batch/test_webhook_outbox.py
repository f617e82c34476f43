"""The outbox keeps what it took, gives each webhook to one sender at a time, and lets only that one settle it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice_sidecar.batch.outbox import LEASE, LOOKED_AT, PER_ORIGIN, PER_TENANT, State, Webhook, of_tenant, origin_of
from sluice_sidecar.batch.outbox_sqlite import SqliteOutbox, open_outbox

A, B = "https://a.example.com/", "https://b.example.com/"


def webhook(number: int, url: str = A, batch: str | None = None) -> Webhook:
    return Webhook(f"evt_{number}", "night", url, batch or f"batch_{number}", b"{}")


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[SqliteOutbox]:
    outbox, close = open_outbox(tmp_path / "webhooks.db")
    yield outbox
    close()


async def test_what_it_took_is_there_after_a_restart(tmp_path: Path) -> None:
    first, close = open_outbox(tmp_path / "again.db")
    assert await first.add(webhook(1), 10.0)
    close()
    second, close = open_outbox(tmp_path / "again.db")
    assert [claimed.webhook for claimed in await second.claim(10.0, 10, ())] == [webhook(1)]
    close()


async def test_an_id_is_taken_once(outbox: SqliteOutbox) -> None:
    assert await outbox.add(webhook(1), 10.0)
    assert not await outbox.add(webhook(1), 11.0)
    assert len(await outbox.claim(20.0, 10, ())) == 1


async def test_a_claim_holds_for_its_lease_and_the_late_claimer_settles_nothing(outbox: SqliteOutbox) -> None:
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


async def test_one_address_does_not_take_all_room_and_some_can_be_left_out(outbox: SqliteOutbox) -> None:
    for number in range(20):
        await outbox.add(webhook(number), 1.0)
    await outbox.add(webhook(20, B), 2.0)
    claimed = await outbox.claim(10.0, 15, ())
    assert [one.webhook.url for one in claimed] == [A] * PER_ORIGIN + [B]
    assert await outbox.claim(10.0, 15, {A}) == []
    assert await outbox.next_due({A, B}) == float("inf")


async def test_an_address_with_much_to_do_hides_no_other_for_longer_than_a_claim(outbox: SqliteOutbox) -> None:
    for number in range(LOOKED_AT + 1):
        await outbox.add(webhook(number), 1.0)
    await outbox.add(webhook(LOOKED_AT + 1, B), 2.0)
    assert {one.webhook.url for one in await outbox.claim(10.0, 15, ())} == {A}
    assert [one.webhook.url for one in await outbox.claim(10.0, 15, {A})] == [B]


async def test_a_later_event_of_a_batch_waits_for_the_earlier(outbox: SqliteOutbox) -> None:
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


async def test_a_try_that_was_none_does_not_count(outbox: SqliteOutbox) -> None:
    await outbox.add(webhook(1), 10.0)
    (claimed,) = await outbox.claim(10.0, 10, ())
    await outbox.postpone(claimed, 60.0, counts=False)
    (claimed,) = await outbox.claim(60.0, 10, ())
    assert (claimed.tries, claimed.first) == (1, 60.0)


async def test_a_replay_sends_a_batch_again_or_all_that_failed(outbox: SqliteOutbox) -> None:
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


async def test_what_is_settled_is_forgotten_in_time_and_what_waits_never(outbox: SqliteOutbox) -> None:
    await outbox.add(webhook(1), 10.0)
    await outbox.add(webhook(2), 10.0)
    settled, _ = await outbox.claim(10.0, 10, ())
    await outbox.settle(settled, State.DELIVERED)
    assert await outbox.forget(10.0) == 0
    assert await outbox.forget(1e9) == 1
    assert await outbox.of_batch("batch_1") == []
    assert len(await outbox.of_batch("batch_2")) == 1


async def test_nothing_that_is_shown_holds_an_address(outbox: SqliteOutbox) -> None:
    await outbox.add(webhook(1, "https://a.example.com/token"), 10.0)
    (claimed,) = await outbox.claim(10.0, 10, ())
    assert "token" not in repr(claimed)


async def test_a_tenant_with_many_addresses_leaves_room_for_another(outbox: SqliteOutbox) -> None:
    for number in range(LOOKED_AT + 1):
        url = f"https://h{number % 40}.example.com/{number}"
        await outbox.add(Webhook(f"evt_{number}", "night", url, f"b{number}", b"{}", "greedy"), 1.0)
    await outbox.add(Webhook("evt_other", "night", "https://z.example.com/", "b", b"{}", "other"), 2.0)
    assert [one.webhook.tenant for one in await outbox.claim(10.0, 32, ())] == ["greedy"] * PER_TENANT
    (claimed,) = await outbox.claim(10.0, 32, {of_tenant("greedy")})
    assert claimed.webhook.tenant == "other"


async def test_many_paths_of_one_origin_are_one(outbox: SqliteOutbox) -> None:
    for number in range(20):
        await outbox.add(Webhook(f"evt_{number}", "night", f"{B}/{number}?t", f"b{number}", b"{}"), 1.0)
    assert len(await outbox.claim(10.0, 32, ())) == PER_ORIGIN
    assert await outbox.claim(10.0, 32, {origin_of(B)}) == []
