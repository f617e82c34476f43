"""Webhooks reach a real receiver that verifies them: signed, in order, again after failures, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doubles.queue_stores import STORES, address, opened_store
from doubles.raw_server import RawServer, always
from doubles.redis_server import RunningRedis
from doubles.webhook_receiver import HANG, Receiver, answer
from sluice_sidecar.batch.delivery import BREAKER, Deliverer
from sluice_sidecar.batch.destinations import Allowed
from sluice_sidecar.batch.hooks import Hooks
from sluice_sidecar.batch.outbox import PER_ORIGIN, Outbox, State, Told, Webhook
from sluice_sidecar.batch.webhooks import LASTS, WAITS, Key, event_id, payload
from sluice_sidecar.upstream.client import Client, Timeouts
from sluice_sidecar.upstream.guard import Guard

KEY, NEXT_KEY = Key(bytes(range(32))), Key(bytes(range(1, 33)))
START = 1_800_000_000.0


class Sender:
    """An outbox and who delivers from it, by a clock that tests move."""

    def __init__(self, outbox: Outbox, far: Client, near: Client) -> None:
        self.now = START
        self.outbox = outbox
        self.keys = [KEY]
        self.allowed = Allowed(("https://*.example.com",), loopback=True)
        self._clients = far, near
        self.deliverer = self.made()

    def made(self, **more: Any) -> Deliverer:
        far, near = self._clients
        return Deliverer(
            self.outbox,
            far,
            lambda window: Hooks(tuple(self.keys), self.allowed) if window == "night" else None,
            near=near,
            clock=lambda: self.now,
            steady=lambda: self.now,
            rng=lambda: 0.5,
            **more,
        )

    async def add(self, url: str, batch: str = "batch_1", window: str = "night") -> str:
        identifier = event_id("batch.completed", batch, url)
        body = payload("batch.completed", identifier, batch, self.now)
        assert await self.outbox.add(Webhook(identifier, window, url, batch, body), self.now)
        return identifier

    async def deliver(self) -> float:
        """Everything that is due now; seconds until there is more."""
        woken = self.deliverer._woken
        while True:
            woken.clear()
            wait = await self.deliverer.start_due()
            await self.deliverer.settled()
            if not woken.is_set():
                return wait

    async def told(self, batch: str = "batch_1") -> list[Told]:
        return await self.outbox.of_batch(batch)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"), "--appendfsync", "always")
    asyncio.run(running.start())
    yield running
    running.kill()


@pytest.fixture(params=STORES)
async def sender(request: pytest.FixtureRequest, tmp_path: Path, server: RunningRedis) -> AsyncIterator[Sender]:
    far, near = Client(Guard()), Client(Guard(loopback=True))
    async with opened_store(address(request.param, tmp_path, server)) as store:
        sender = Sender(store.outbox, far, near)
        yield sender
        await sender.deliverer.close()
    await far.close()
    await near.close()


async def test_an_event_is_delivered_once_and_verifies(sender: Sender) -> None:
    async with Receiver(KEY) as receiver:
        identifier = await sender.add(receiver.url("/hook?token=a%20b"))
        await sender.deliver()
        (got,) = receiver.got
        assert (got.id, got.timestamp, got.path) == (identifier, int(START), "/hook?token=a%20b")
        assert got.headers["content-type"] == "application/json"
        assert [told.state for told in await sender.told()] == [State.DELIVERED]
        sender.now += 86_400
        await sender.deliver()
        assert len(receiver.got) == 1


async def test_a_receiver_with_the_old_or_the_new_key_verifies_while_keys_are_rotated(sender: Sender) -> None:
    sender.keys = [NEXT_KEY, KEY]
    async with Receiver(KEY) as old, Receiver(NEXT_KEY) as new:
        await sender.add(old.url())
        await sender.add(new.url())
        await sender.deliver()
        assert (len(old.got), len(new.got)) == (1, 1)


async def test_it_is_tried_again_with_the_same_id_and_a_new_timestamp_until_it_is_taken(sender: Sender) -> None:
    async with Receiver(KEY, answer(500), answer(503, "retry-after: 60"), answer(404), answer(200)) as receiver:
        await sender.add(receiver.url())
        waits = []
        for _ in range(3):
            waits.append(await sender.deliver())
            sender.now += waits[-1]
        await sender.deliver()
        assert waits == [WAITS[0], 60.0, WAITS[2]]
        assert len({got.id for got in receiver.got}) == 1
        assert [got.timestamp - START for got in receiver.got] == [0, 5, 65, 155]
        (told,) = await sender.told()
        assert (told.state, told.tries) == (State.DELIVERED, 4)


async def test_after_24_hours_it_is_given_up_and_a_replay_delivers_it_with_its_id(sender: Sender) -> None:
    async with Receiver(KEY, *[answer(500)] * (len(WAITS) + 1), answer(200)) as receiver:
        identifier = await sender.add(receiver.url())
        while (await sender.told())[0].state is State.WAITING:
            sender.now += await sender.deliver()
            assert sender.now <= START + LASTS + 3_600 + BREAKER.open_for
        (told,) = await sender.told()
        assert (told.state, told.tries, told.note) == (State.GIVEN_UP, len(WAITS) + 1, "it answered 500")
        assert await sender.outbox.replay(sender.now) == 1
        sender.now += BREAKER.open_for
        await sender.deliver()
        assert (await sender.told())[0].state is State.DELIVERED
        assert {got.id for got in receiver.got} == {identifier}


async def test_410_ends_an_address_and_a_replay_opens_it_again(sender: Sender) -> None:
    async with Receiver(KEY, answer(410), answer(200)) as receiver:
        await sender.add(receiver.url(), "batch_1")
        await sender.deliver()
        await sender.add(receiver.url(), "batch_2")
        await sender.deliver()
        assert len(receiver.got) == 1
        assert [(await sender.told(batch))[0].state for batch in ("batch_1", "batch_2")] == [State.GONE, State.GONE]
        assert await sender.outbox.replay(sender.now, "batch_2") == 1
        await sender.deliver()
        assert [(await sender.told(batch))[0].state for batch in ("batch_1", "batch_2")] == [
            State.GONE,
            State.DELIVERED,
        ]


@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:{port}/inside"])
async def test_a_redirect_is_followed_nowhere(sender: Sender, where: str) -> None:
    async with RawServer(always(answer(200))) as inside:
        moved = answer(307, "location: " + where.format(port=inside.port))
        async with Receiver(KEY, moved) as receiver:
            await sender.add(receiver.url())
            await sender.deliver()
            (told,) = await sender.told()
            assert (told.state, told.note) == (State.WAITING, "it answered 307, and redirects are not followed")
            assert (len(receiver.got), inside.peers) == (1, [])


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "a loopback address"),
        ("10.1.2.3", "a private address"),
        ("169.254.1.1", "a link-local address"),
        ("169.254.169.254", "a cloud metadata service"),
        ("fd00:ec2::254", "a cloud metadata service"),
        ("::ffff:192.168.0.1", "a private address"),
    ],
)
async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, address: str, kind: str
) -> None:
    asked = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", (address, port) if ":" not in address else (address, port, 0, 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    await sender.add("https://rebound.example.com/hook")
    await sender.deliver()
    (told,) = await sender.told()
    assert told.state is State.WAITING
    assert "egress denied: host 'rebound.example.com' is" in told.note
    assert kind in told.note
    assert asked == ["rebound.example.com"]


async def test_an_address_that_is_not_allowed_any_more_is_not_called(sender: Sender) -> None:
    async with Receiver(KEY) as receiver:
        await sender.add(receiver.url())
        await sender.add(receiver.url(), "batch_2", window="removed")
        sender.allowed = Allowed(("https://*.example.com",))
        await sender.deliver()
        assert receiver.got == []
        assert "plain http" in (await sender.told())[0].note
        assert "BatchWindow removed is gone" in (await sender.told("batch_2"))[0].note


async def test_one_that_hangs_fails_in_time_and_holds_no_other_up(sender: Sender) -> None:
    sender.deliverer = sender.made(timeouts=Timeouts(connect=5.0, first_byte=0.5, total=5.0))
    async with Receiver(KEY, HANG) as hanging, Receiver(KEY) as good:
        for number in range(40):
            await sender.add(hanging.url(f"/{number % 2}"), f"batch_{number}")
        await sender.add(good.url(), "batch_good")
        await sender.deliverer.start_due()
        await good.until(lambda: len(good.got) == 1)
        await hanging.until(partial(has_got, hanging, PER_ORIGIN))
        await sender.deliverer.settled()
        assert "no response head in time" in (await sender.told("batch_0"))[0].note


async def test_a_failing_address_is_left_alone_and_then_tried_once(sender: Sender) -> None:
    failures = BREAKER.failures
    async with Receiver(KEY, *[answer(500)] * failures, answer(200)) as receiver:
        for number in range(failures):
            await sender.add(receiver.url(), f"batch_{number}")
        await sender.deliver()
        assert len(receiver.got) == failures
        await sender.add(receiver.url(), "batch_late")
        await sender.deliver()
        assert len(receiver.got) == failures
        sender.now += BREAKER.open_for
        await sender.deliver()
        assert len(receiver.got) == failures + 1
        sender.now += 1
        await sender.deliver()
        assert len(receiver.got) == 2 * failures + 1
        assert (await sender.told("batch_late"))[0].tries == 1


async def test_events_of_a_batch_come_in_their_order(sender: Sender) -> None:
    async with Receiver(KEY, answer(500), answer(200)) as receiver:
        for number in range(3):
            webhook = Webhook(f"evt_{number}", "night", receiver.url(), "batch_1", b"{}")
            await sender.outbox.add(webhook, sender.now)
        await sender.add(receiver.url(), "batch_2")
        sender.now += await sender.deliver()
        await sender.deliver()
        ids = [got.id for got in receiver.got if got.id in {"evt_0", "evt_1", "evt_2"}]
        assert list(dict.fromkeys(ids)) == ["evt_0", "evt_1", "evt_2"]
        assert all(told.state is State.DELIVERED for told in await sender.told())


async def test_the_task_delivers_what_is_added_while_it_runs(sender: Sender) -> None:
    async with Receiver(KEY) as receiver:
        running = asyncio.create_task(sender.deliverer.run())
        for number in range(3):
            await sender.add(receiver.url(), f"batch_{number}")
            sender.deliverer.wake()
            await receiver.until(partial(has_got, receiver, number + 1))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def has_got(receiver: Receiver, number: int) -> bool:
    return len(receiver.got) == number
