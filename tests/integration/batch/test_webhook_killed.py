"""A sender that is killed between delivery and acknowledgement leaves a webhook that is delivered again, by its id."""

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

from doubles.webhook_receiver import HANG, Receiver, answer
from sluice_sidecar.batch.delivery import Deliverer
from sluice_sidecar.batch.destinations import Allowed
from sluice_sidecar.batch.hooks import Hooks
from sluice_sidecar.batch.outbox import LEASE, State, Webhook
from sluice_sidecar.batch.outbox_sqlite import open_outbox
from sluice_sidecar.batch.webhooks import Key
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

KEY = Key(bytes(range(32)))
START = 1_800_000_000.0

SENDER = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from sluice_sidecar.batch.delivery import Deliverer
    from sluice_sidecar.batch.destinations import Allowed
    from sluice_sidecar.batch.hooks import Hooks
    from sluice_sidecar.batch.outbox_sqlite import open_outbox
    from sluice_sidecar.batch.webhooks import Key
    from sluice_sidecar.upstream.client import Client
    from sluice_sidecar.upstream.guard import Guard

    async def main():
        outbox, close = open_outbox(Path(sys.argv[1]))
        hooks = Hooks((Key(bytes(range(32))),), Allowed((), loopback=True))
        client = Client(Guard(loopback=True))
        await Deliverer(outbox, client, lambda window: hooks, clock=lambda: 1_800_000_000.0).run()

    asyncio.run(main())
""")


async def test_a_killed_sender_s_webhook_is_delivered_again_with_the_same_id(tmp_path: Path) -> None:
    file = tmp_path / "webhooks.db"
    outbox, close = open_outbox(file)
    client = Client(Guard(loopback=True))
    async with Receiver(KEY, HANG, answer(200)) as receiver:
        await outbox.add(Webhook("evt_1", "night", receiver.url(), "batch_1", b"{}"), START)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        sender = await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, str(file), env=environment)
        await receiver.until(lambda: len(receiver.got) == 1)
        sender.send_signal(signal.SIGKILL)
        await sender.wait()

        now = START + 1
        hooks = Hooks((KEY,), Allowed((), loopback=True))
        deliverer = Deliverer(outbox, client, lambda window: hooks, clock=lambda: now)
        assert await deliverer.start_due() == LEASE - 1
        assert len(receiver.got) == 1
        now = START + LEASE
        await deliverer.start_due()
        await deliverer.settled()
        assert [got.id for got in receiver.got] == ["evt_1", "evt_1"]
        (told,) = await outbox.of_batch("batch_1")
        assert (told.state, told.tries) == (State.DELIVERED, 2)
    await client.close()
    close()
