"""What every conformance test stands on: an upstream that does as it is told."""

from collections.abc import AsyncIterator

import pytest

from doubles.scripted import Scripted


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    """A scripted upstream."""
    async with Scripted() as scripted:
        yield scripted
