"""The gateway's HTTP client, under both event loops that it runs in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test runs once in either loop."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that may connect to this machine."""
    client = Client(Guard(loopback=True))
    yield client
    await client.close()
