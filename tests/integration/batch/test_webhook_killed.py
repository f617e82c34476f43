"""A sender or a Redis that is killed between delivery and the note of it: the webhook is delivered again, by its id."""

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from doubles.queue_stores import STORES, address, opened_store
from doubles.redis_server import RunningRedis
from doubles.webhook_receiver import HANG, Receiver, answer
from sluice_sidecar.batch.delivery import Deliverer
from sluice_sidecar.batch.destinations import Allowed
from sluice_sidecar.batch.hooks import Hooks
from sluice_sidecar.batch.outbox import LEASE, Outbox, State, Webhook
from sluice_sidecar.batch.webhooks import Key
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

KEY = Key(bytes(range(32)))
START = 1_800_000_000.0

SENDER = textwrap.dedent("""
    import asyncio, sys
    from doubles.queue_stores import opened_store
    from sluice_sidecar.batch.delivery import Deliverer
    from sluice_sidecar.batch.destinations import Allowed
    from sluice_sidecar.batch.hooks import Hooks
    from sluice_sidecar.batch.webhooks import Key
    from sluice_sidecar.upstream.client import Client
    from sluice_sidecar.upstream.guard import Guard

    async def main():
        hooks = Hooks((Key(bytes(range(32))),), Allowed((), loopback=True))
        client = Client(Guard(loopback=True))
        async with opened_store(sys.argv[1]) as store:
            await Deliverer(store.outbox, client, lambda window: hooks, clock=lambda: 1_800_000_000.0).run()

    asyncio.run(main())
""")


def deliverer(outbox: Outbox, client: Client, now: float) -> Deliverer:
    hooks = Hooks((KEY,), Allowed((), loopback=True))
    return Deliverer(outbox, client, lambda window: hooks, clock=lambda: now)


@pytest.mark.parametrize("kind", STORES)
async def test_a_killed_sender_s_webhook_is_delivered_again_with_the_same_id(kind: str, tmp_path: Path) -> None:
    client = Client(Guard(loopback=True))
    async with (
        RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server,
        Receiver(KEY, HANG, answer(200)) as receiver,
        opened_store(where := address(kind, tmp_path, server)) as store,
    ):
        outbox = store.outbox
        await outbox.add(Webhook("evt_1", "night", receiver.url(), "batch_1", b"{}"), START)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        sender = await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, where, env=environment)
        await receiver.until(lambda: len(receiver.got) == 1)
        sender.send_signal(signal.SIGKILL)
        await sender.wait()

        assert await deliverer(outbox, client, START + 1).start_due() == LEASE - 1
        assert len(receiver.got) == 1
        second = deliverer(outbox, client, START + LEASE)
        await second.start_due()
        await second.settled()
        assert [got.id for got in receiver.got] == ["evt_1", "evt_1"]
        (told,) = await outbox.of_batch("batch_1")
        assert (told.state, told.tries) == (State.DELIVERED, 2)
    await client.close()


async def test_a_redis_that_is_killed_before_the_note_has_it_delivered_again(tmp_path: Path) -> None:
    client = Client(Guard(loopback=True))
    async with (
        RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server,
        Receiver(KEY, answer(200)) as receiver,
        opened_store(address("redis", tmp_path, server)) as store,
    ):
        outbox = store.outbox
        await outbox.add(Webhook("evt_1", "night", receiver.url(), "batch_1", b"{}"), START)
        first = deliverer(outbox, client, START)
        await first.start_due()
        server.kill()  # what was sent cannot be noted
        await receiver.until(lambda: len(receiver.got) == 1)
        await first.settled()
        await server.start()
        (told,) = await outbox.of_batch("batch_1")
        assert (told.state, told.tries, told.due) == (State.WAITING, 1, START + LEASE)
        second = deliverer(outbox, client, START + LEASE)
        await second.start_due()
        await second.settled()
        assert [got.id for got in receiver.got] == ["evt_1", "evt_1"]
        (told,) = await outbox.of_batch("batch_1")
        assert (told.state, told.tries) == (State.DELIVERED, 2)
    await client.close()
