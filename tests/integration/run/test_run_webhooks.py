"""`sluice run` with several processes tells real receivers, good and hostile ones, and goes on telling after a kill."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doubles.behaviours import text
from doubles.raw_server import Peer, RawServer, always
from doubles.running import ASK, Sluice, route, running, start, until
from doubles.scripted import Scripted
from doubles.webhook_receiver import Receiver, answer
from sluice_cli.batch.command import batch
from sluice_sidecar.batch.webhooks import Key

KEY = Key(bytes(range(32)))
CHAT = "/v1/chat/completions"
WINDOW = """\
apiVersion: sluice.dev/v1alpha1
kind: BatchWindow
metadata: {name: day}
spec:
  always: true
  routes: [house]
  webhooks:
    signingKey: {secret: hooks, key: key}
    allow: ["https://*.example.com"]
"""
SECRET = {"SLUICE_SECRET_HOOKS_KEY": f"{Receiver(KEY).secret}"}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n"


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    async with Scripted() as up:
        up.otherwise(text("Bonjour"))
        (tmp_path / "kinds.yaml").write_text(route(up.url + "/v1") + WINDOW)
        yield tmp_path


async def asked(sluice: Sluice, url: str) -> str:
    """A deferred request whose end is told there; its id."""
    headers = {"prefer": "respond-async", "x-sluice-webhook": url}
    made = await sluice.client.post(sluice.url + CHAT, json=ASK, headers=headers)
    assert made.status_code == 202, made.text
    return str(made.json()["id"])


async def told(sluice: Sluice, id_: str, *statuses: str) -> dict[str, Any]:
    """What became of its webhook, once it is one of these."""
    async with asyncio.timeout(60):
        while True:
            found = (await sluice.client.get(f"{sluice.url}/v1/webhooks?batch={id_}")).json()["data"]
            if found and (found[0]["status"] in statuses or found[0]["reason"]):
                return dict(found[0])
            await asyncio.sleep(0.05)


async def trickle(peer: Peer) -> None:
    """A head that comes a byte at a time and never ends."""
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nx: ")
    while not peer.gone.is_set():
        await peer.send(b"x")
        await asyncio.sleep(0.05)


async def flood(peer: Peer) -> None:
    """An answer without end."""
    await peer.request()
    await peer.send(HEAD)
    while True:
        await peer.send(b"x" * 65_536)


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.watch()


async def test_hostile_receivers_hold_nobody_up_and_lead_nowhere(folder: Path) -> None:
    inside = RawServer(always(answer(200)))
    slow, endless, mute = RawServer(trickle), RawServer(flood), RawServer(silent)
    async with running(folder, "--workers", "2", environ=SECRET) as sluice, inside, slow, endless, mute:
        moved = answer(307, f"location: http://127.0.0.1:{inside.port}/")
        meta = answer(302, "location: http://169.254.169.254/latest/meta-data/")
        async with (
            Receiver(KEY) as good,
            Receiver(KEY, moved) as away,
            Receiver(KEY, meta) as to_meta,
            Receiver(KEY, answer(410)) as gone,
        ):
            hung = [await asked(sluice, f"http://127.0.0.1:{one.port}/") for one in (slow, mute)]
            ids = [await asked(sluice, one.url()) for one in (gone, away, to_meta)]
            full = await asked(sluice, f"http://127.0.0.1:{endless.port}/")
            fine = await asked(sluice, good.url())
            assert (await told(sluice, fine, "delivered"))["status"] == "delivered"
            assert (await told(sluice, full, "delivered"))["status"] == "delivered"
            assert (await told(sluice, ids[0], "gone"))["status"] == "gone"
            for id_, status in zip(ids[1:], (307, 302), strict=True):
                reason = (await told(sluice, id_, "given_up"))["reason"]
                assert reason == f"it answered {status}, and redirects are not followed"
            assert good.got[0].event["data"]["id"] == fine
            replay = ["replay", fine, "--base-url", sluice.url]
            said = await asyncio.to_thread(CliRunner().invoke, batch, replay)
            assert said.stdout == "1 webhook will be sent again\n"
            await good.until(lambda: len(good.got) == 2)
            assert good.got[0].id == good.got[1].id
        assert inside.peers == []
        for id_ in hung:
            (found,) = (await sluice.client.get(f"{sluice.url}/v1/webhooks?batch={id_}")).json()["data"]
            assert (found["status"], found["tries"]) == ("waiting", 1)
        for url in (
            "http://169.254.169.254/",
            "http://10.0.0.1/",
            "https://elsewhere.example.net/",
            "http://[::ffff:a00:1]/",
        ):
            headers = {"prefer": "respond-async", "x-sluice-webhook": url}
            refused = await sluice.client.post(sluice.url + CHAT, json=ASK, headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "webhook_not_allowed")


async def test_a_webhook_outlives_a_kill_of_every_process_with_its_id(folder: Path) -> None:
    async with Receiver(KEY, answer(503), answer(204)) as receiver:
        async with running(folder, environ=SECRET) as sluice:
            id_ = await asked(sluice, receiver.url())
            assert (await told(sluice, id_))["reason"] == "it answered 503"
            for pid in sluice.children():
                os.kill(pid, signal.SIGKILL)
            await until(lambda: len(receiver.got) == 2, "the webhook is sent again")
        assert receiver.got[0].id == receiver.got[1].id


async def test_a_key_that_is_none_is_refused_and_never_shown(folder: Path) -> None:
    (folder / ".env").write_text("SLUICE_SECRET_HOOKS_KEY=whsec_hush!hush\n")
    sluice = await start(folder)
    assert await sluice.ends() == 1
    await sluice.client.aclose()
    assert "BatchWindow day, webhooks: variable SLUICE_SECRET_HOOKS_KEY" in sluice.said
    assert "signing key 1 is not base64 after whsec_" in sluice.said
    assert "hush" not in sluice.said
