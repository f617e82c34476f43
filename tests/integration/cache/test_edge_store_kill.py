"""A gateway that is killed loses nothing that it had acknowledged."""

import asyncio
import sys
from pathlib import Path

import pytest

from doubles import edge_writer
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore


@pytest.mark.parametrize("after", [1, 700, 1200])
async def test_acknowledged_records_survive_a_kill(tmp_path: Path, after: int) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, edge_writer.__file__, str(tmp_path / "cache"), "100", stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    last = -1
    while last < after:
        last = int(await child.stdout.readline())
    child.kill()
    last = max([last, *map(int, (await child.stdout.read()).split(b"\n")[:-1])])
    assert await child.wait() == -9
    store = EdgeStore(tmp_path / "cache")
    await store.open()
    for number in range(last + 1):
        assert await store.get(record(number).key, NOW) == record(number, life=1e6).data
    assert list(tmp_path.glob("*.damaged-*")) == []
    await store.close()
