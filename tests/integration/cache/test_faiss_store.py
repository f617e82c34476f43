"""What only the Faiss store does: on disk, held by one process, compacted, off where it cannot be."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from doubles import edge_writer
from doubles.cached import Hands, axis
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.faiss import FaissStore
from sluice_sidecar.cache.stores.store import StoreError

FIRST = axis(1.0).tobytes()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FaissStore]:
    one = FaissStore(tmp_path / "faiss", seconds=Hands())
    await one.open()
    yield one
    await one.close()


async def reopened(folder: Path) -> FaissStore:
    one = FaissStore(folder / "faiss")
    await one.open()
    return one


def random_vectors(count: int) -> "list[bytes]":
    vectors = np.random.default_rng(7).normal(size=(count, 384)).astype("<f4")
    return [(vector / np.linalg.norm(vector)).tobytes() for vector in vectors]


async def test_what_was_put_is_there_after_a_restart(store: FaissStore, tmp_path: Path) -> None:
    await store.put(record(1, vector=FIRST), 10)
    await store.put(record(2, scope="other", vector=FIRST), 10)
    await store.put(record(3), 10)
    await store.close()
    again = await reopened(tmp_path)
    assert again.stats()["policies"] == {"support": 3}
    assert [data for _, data in await again.nearest("s", FIRST, 0.5, 4, NOW)] == [record(1).data]
    assert await again.get(record(3).key, NOW) == record(3).data
    await again.close()


async def test_acknowledged_records_survive_a_kill(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, edge_writer.__file__, str(tmp_path / "faiss"), "100", "faiss", stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    last = -1
    while last < 700:
        last = int(await child.stdout.readline())
    child.kill()
    last = max([last, *map(int, (await child.stdout.read()).split(b"\n")[:-1])])
    assert await child.wait() == -9
    again = await reopened(tmp_path)
    for number in range(last + 1):
        assert await again.get(record(number).key, NOW) == record(number, life=1e6).data
    assert len(await again.nearest("s", FIRST, 0.5, last + 10, NOW)) >= last + 1
    assert list(tmp_path.glob("*.damaged-*")) == []
    await again.close()


async def test_a_search_gives_what_comparing_each_vector_gives(store: FaissStore) -> None:
    vectors = random_vectors(300)
    for number, vector in enumerate(vectors):
        scope, life = "ab"[number % 2], 60.0 if number % 3 else 5.0
        await store.put(record(number, scope=scope, life=life, vector=vector), 1000)
    for number in range(0, 300, 5):
        await store.drop(record(number).key)
    asked = np.frombuffer(vectors[7], "<f4")
    expected = sorted(
        ((float(np.frombuffer(vector, "<f4") @ asked), number)
         for number, vector in enumerate(vectors) if number % 2 == 1 and number % 3 and number % 5),
        reverse=True,
    )[:8]  # fmt: skip
    found = await store.nearest("b", vectors[7], -1.0, 8, NOW + 6.0)
    assert [score for score, _ in found] == pytest.approx([score for score, _ in expected], abs=1e-5)
    assert [data for _, data in found] == [record(number, scope="b").data for _, number in expected]


async def test_deleted_vectors_are_compacted_away(store: FaissStore) -> None:
    for number in range(200):
        await store.put(record(number, vector=FIRST), 1000)
    for number in range(150):
        await store.drop(record(number).key)
    assert store._records is not None
    scope = store._records.scopes._scopes["s"]
    assert len(scope) == 50
    assert scope._index.ntotal < 200
    found = await store.nearest("s", FIRST, 0.5, 200, NOW)
    assert {data for _, data in found} == {record(number).data for number in range(150, 200)}
    await store.purge(None, None, None)
    assert store._records.scopes._scopes == {}


async def test_space_of_deleted_records_is_given_back(store: FaissStore, tmp_path: Path) -> None:
    for number in range(300):
        await store.put(record(number, size=20_000), 1000)
    await store.upkeep(NOW)
    file = tmp_path / "faiss" / "records.sqlite"
    assert store._records is not None
    store._records.rows.flush()
    before = file.stat().st_size
    await store.purge(None, None, None)
    for _ in range(10):
        await store.upkeep(NOW)
    store._records.rows.flush()
    assert file.stat().st_size < before / 4


async def test_one_process_has_it_and_another_says_who(store: FaissStore, tmp_path: Path) -> None:
    other = await reopened(tmp_path)
    assert other.stats()["state"] == "off"
    assert "in use by another process" in str(other.stats()["reason"])
    assert not await other.put(record(1), 10)
    with pytest.raises(StoreError, match="in use by another process"):
        await other.purge(None, None, None)
    await store.put(record(1), 10)
    await other.close()
    assert await store.get(record(1).key, NOW) == record(1).data


async def test_without_faiss_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    one = await reopened(tmp_path)
    assert one.stats()["state"] == "off"
    assert "pip install 'sluice-llm[faiss]'" in str(one.stats()["reason"])
    assert not await one.put(record(1, vector=FIRST), 10)
    assert await one.get(record(1).key, NOW) is None
    await one.close()


async def test_without_a_folder_it_is_off_and_says_so() -> None:
    one = FaissStore(None)
    await one.open()
    await one.upkeep(NOW)
    assert "no data folder" in str(one.stats()["reason"])
    assert await one.purge(None, None, None) == 0
    await one.close()


async def test_a_damaged_file_is_moved_aside(store: FaissStore, tmp_path: Path) -> None:
    await store.put(record(1, vector=FIRST), 10)
    await store.close()
    (tmp_path / "faiss" / "records.sqlite").write_bytes(b"no database" * 1000)
    again = await reopened(tmp_path)
    assert again.stats()["state"] == "open"
    assert len(list(tmp_path.glob("faiss.damaged-*"))) == 1
    assert await again.put(record(2, vector=FIRST), 10)
    await again.close()


async def test_a_damaged_vector_makes_no_neighbour(store: FaissStore, tmp_path: Path) -> None:
    await store.put(record(1, vector=FIRST), 10)
    assert store._records is not None
    store._records.rows._file.execute("UPDATE records SET vector = ?", (axis(0.9).tobytes(),))
    assert await store.nearest("s", FIRST, 0.0, 4, NOW) == []
    assert store.stats()["damaged"] == 1
    assert await store.get(record(1).key, NOW) is None


async def test_a_vector_of_another_length_is_refused(store: FaissStore) -> None:
    with pytest.raises(StoreError, match="384 dimensions"):
        await store.put(record(1, vector=FIRST[:16]), 10)
    with pytest.raises(StoreError, match="384 dimensions"):
        await store.put(record(1, vector=b""), 10)


async def test_on_a_full_disk_it_takes_nothing_and_can_be_purged(tmp_path: Path) -> None:
    one = await reopened(tmp_path)
    await one.put(record(1, vector=FIRST), 10)
    await one.close()
    full = FaissStore(tmp_path / "faiss")
    await full.open()
    assert full._folder is not None
    full._folder._reserve = 1 << 62
    assert not await full.put(record(2), 10)
    assert full.stats()["state"] == "full"
    assert len(await full.nearest("s", FIRST, 0.5, 4, NOW)) == 1
    assert await full.purge(None, None, None) == 1
    await full.close()


async def test_a_scan_gives_a_policys_whole_records(store: FaissStore) -> None:
    for number in range(450):
        await store.put(record(number, policy="ab"[number % 2]), 1000)
    assert store._records is not None
    store._records.rows._file.execute("UPDATE records SET sum = x'00' WHERE key = ?", (record(1).key,))
    found = [data async for data in store.scan("b")]
    assert sorted(found) == sorted(record(number, policy="b").data for number in range(3, 450, 2))
