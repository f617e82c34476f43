"""A full disk: serving goes on, and the store comes back when there is room."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles import edge_writer
from doubles.components import require
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore

MB = 1 << 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 96 MB."""
    where = tmp_path / "small"
    where.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(where)], capture_output=True, text=True
    )
    require(not done.returncode, f"a small file system ({done.stderr.strip()})", "run as root, where mount is allowed")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def fill(path: Path, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    disk = os.statvfs(path)
    file = path / "filling"
    file.write_bytes(b"x" * (disk.f_bavail * disk.f_frsize - leave))
    return file


async def test_it_takes_nothing_until_there_is_room(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = EdgeStore(small / "cache")
    await store.open()
    assert await store.put(record(1), 100)
    file = fill(small, 4 * MB)
    assert not await store.put(record(2), 100)
    await store.touch([record(1).key], NOW)
    await store.upkeep(NOW)
    assert store.stats()["state"] == "full"
    assert await store.get(record(1).key, NOW) == record(1).data
    assert caplog.text.count("almost full") == 1
    file.unlink()
    assert await store.put(record(2), 100)
    assert store.stats()["state"] == "open"
    assert "has room again" in caplog.text
    await store.close()


async def test_a_purge_holds_on_a_full_disk(small: Path) -> None:
    store = EdgeStore(small / "cache")
    await store.open()
    await store.put(record(1), 100)
    fill(small, MB)
    assert await store.purge(None, "acme", None) == 1
    assert await store.get(record(1).key, NOW) is None
    await store.close()
    (small / "filling").unlink()
    again = EdgeStore(small / "cache")
    await again.open()
    assert await again.get(record(1).key, NOW) is None
    await again.close()


async def test_it_starts_without_a_store_and_opens_it_later(small: Path) -> None:
    file = fill(small, MB)
    store = EdgeStore(small / "cache")
    await store.open()
    assert store.stats()["state"] == "off"
    assert not await store.put(record(1), 100)
    file.unlink()
    async with asyncio.timeout(60):
        while store.stats()["state"] != "open":
            await store.upkeep(NOW)
            await asyncio.sleep(0.01)
    assert await store.put(record(1), 100)
    await store.close()


async def test_writing_until_it_is_full_kills_nothing(small: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, edge_writer.__file__, str(small / "cache"), "20000", stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while b"refused" not in said:
            said = await child.stdout.readline()
            assert said, f"the writer died with {await child.wait()}"
    assert said == b"refused full\n"
    child.kill()
    await child.stdout.read()
    assert await child.wait() == -9


LIMITED = """
import asyncio, resource, sys
sys.path[:0] = sys.argv[2:]
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore

async def main():
    store = EdgeStore(sys.argv[1])
    await store.open()
    assert await store.put(record(1), 100000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    kept = [await store.put(record(number, size=200_000), 100000) for number in range(2, 400)]
    await store.upkeep(NOW)
    print("refused", kept.count(False) > 0, store.stats()["state"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    async with asyncio.timeout(60):
        while store.stats()["state"] != "open":
            await store.upkeep(NOW)
            await asyncio.sleep(0.05)
    print("kept", await store.put(record(1000), 100000))
    print("first", await store.get(record(1).key, NOW) in (None, record(1).data))
    await store.close()

asyncio.run(main())
"""


async def test_a_write_that_the_system_refuses_turns_the_store_off_for_a_while(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", LIMITED, str(tmp_path / "cache"), str(root / "sidecar"), str(root / "tests")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["refused True off", "kept True", "first True"]
