"""Over https the receiver's certificate is verified by its name, at the very address that was judged."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from doubles.batching import opened
from doubles.certificates import Authority, server_side
from doubles.webhook_receiver import Receiver
from sluice_sidecar.batch.delivery import Deliverer
from sluice_sidecar.batch.destinations import Allowed
from sluice_sidecar.batch.hooks import Hooks
from sluice_sidecar.batch.outbox import Outbox, State, Webhook
from sluice_sidecar.batch.webhooks import Key
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

KEY = Key(bytes(range(32)))
START = 1_800_000_000.0
HOST = "hooks.example.com"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    queue = await opened(tmp_path)
    yield queue.store.outbox
    await queue.close()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that were looked up; the first answer is the receiver's address, every later one the metadata service's."""
    asked: list[str] = []

    async def resolve(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    return asked


async def delivered(outbox: Outbox, authority: Authority, port: int) -> tuple[State, str]:
    """What became of one webhook to the name; the administrator lets the gateway connect to 127.0.0.1."""
    trusted = ssl.create_default_context(cadata=authority.pem.decode())
    client = Client(Guard(("127.0.0.1/32",)), ssl_context=trusted)
    hooks = Hooks((KEY,), Allowed((f"https://*.example.com:{port}",)))
    deliverer = Deliverer(outbox, client, lambda window: hooks, clock=lambda: START)
    await outbox.add(Webhook("evt_1", "night", f"https://{HOST}:{port}/hook", "batch_1", b"{}"), START)
    await deliverer.start_due()
    await deliverer.settled()
    await client.close()
    (told,) = await outbox.of_batch("batch_1")
    return told.state, told.note


async def test_a_name_is_resolved_once_and_connected_to_there(
    outbox: Outbox, authority: Authority, resolved: list[str], tmp_path: Path
) -> None:
    async with Receiver(KEY, tls=server_side(tmp_path / "tls", authority.sign(HOST))) as receiver:
        assert await delivered(outbox, authority, receiver.port) == (State.DELIVERED, "")
        assert [got.headers["host"] for got in receiver.got] == [f"{HOST}:{receiver.port}"]
        assert resolved == [HOST]


async def test_a_certificate_of_another_name_gets_nothing(
    outbox: Outbox, authority: Authority, resolved: list[str], tmp_path: Path
) -> None:
    async with Receiver(KEY, tls=server_side(tmp_path / "tls", authority.sign("other.example.com"))) as receiver:
        state, note = await delivered(outbox, authority, receiver.port)
        assert state is State.WAITING
        assert "its certificate is not trusted" in note
        assert receiver.got == []
        assert resolved == [HOST]
