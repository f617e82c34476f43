"""A damaged store: never a damaged answer, and never a gateway that does not start."""

import logging
import random
from pathlib import Path

import pytest

from doubles.cached import axis
from doubles.records import NOW, record
from sluice_sidecar.cache.stores.edge import EdgeStore

FIRST = axis(1.0).tobytes()
COUNT = 60


async def filled(path: Path) -> None:
    store = EdgeStore(path)
    await store.open()
    for number in range(COUNT):
        await store.put(record(number, size=400, vector=axis(0.5 + number / 200).tobytes()), 1000)
    await store.close()


def flip(file: Path, chance: random.Random, times: int) -> None:
    with file.open("r+b") as data:
        written = min(file.stat().st_size, 60_000)
        for _ in range(times):
            place = chance.randrange(written)
            data.seek(place)
            byte = data.read(1)[0]
            data.seek(place)
            data.write(bytes([byte ^ chance.randrange(1, 256)]))


async def checked(path: Path) -> tuple[int, int]:
    """Opens the store, reads every record by key and by nearness; how many came, how many neighbours."""
    store = EdgeStore(path, patience=5.0)
    await store.open()
    found = 0
    for number in range(COUNT):
        data = await store.get(record(number).key, NOW)
        assert data in (None, record(number, size=400).data), "a damaged record was given"
        found += data is not None
    known = {record(number, size=400).data for number in range(COUNT)}
    near = await store.nearest("s", FIRST, 0.0, COUNT, NOW)
    assert all(data in known for _, data in near), "a damaged record was given"
    assert await store.put(record(1000), 1000) or store.stats()["state"] == "off"
    await store.close()
    return found, len(near)


async def test_a_damaged_answer_is_dropped_and_the_others_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(tmp_path / "cache")
    pages = next((tmp_path / "cache").rglob("payload_storage/page_0.dat"))
    body = pages.read_bytes()
    at = body.index(b"support", len(body.rstrip(b"\0")) // 2)
    pages.write_bytes(body[:at] + b"S" + body[at + 1 :])
    found, near = await checked(tmp_path / "cache")
    assert COUNT - 2 <= found < COUNT
    assert near == found
    assert "damaged cache records were dropped" in caplog.text


async def test_a_damaged_vector_is_no_neighbour(tmp_path: Path) -> None:
    await filled(tmp_path / "cache")
    vectors = next((tmp_path / "cache").rglob("vectors/chunk_0.mmap"))
    body = bytearray(vectors.read_bytes())
    one = axis(0.5 + 7 / 200).tobytes()
    at = body.index(one)
    body[at : at + len(one)] = FIRST
    vectors.write_bytes(body)
    store = EdgeStore(tmp_path / "cache")
    await store.open()
    assert await store.nearest("s", FIRST, 0.99, 4, NOW) == []
    await store.close()


@pytest.mark.parametrize("seed", range(6))
async def test_flipped_bytes_anywhere(tmp_path: Path, seed: int) -> None:
    await filled(tmp_path / "cache")
    chance = random.Random(seed)
    files = sorted(file for file in (tmp_path / "cache").rglob("*") if file.is_file() and file.stat().st_size)
    for file in chance.sample(files, 3):
        flip(file, chance, 32)
    await checked(tmp_path / "cache")


@pytest.mark.parametrize("name", ["edge_config.json", "segment.json", "version.info", "first-index"])
async def test_a_store_that_does_not_open_is_moved_aside(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(tmp_path / "cache")
    next((tmp_path / "cache").rglob(name)).write_bytes(b"\xff\xfe")
    with caplog.at_level(logging.WARNING):
        found, _ = await checked(tmp_path / "cache")
    assert found == 0
    assert len(list(tmp_path.glob("cache.damaged-*"))) == 1
    (said,) = [one for one in caplog.records if "moved aside" in one.getMessage()]
    assert said.__dict__["moved_to"].startswith(str(tmp_path / "cache.damaged-"))


async def test_a_store_that_never_finishes_opening_is_moved_aside(tmp_path: Path) -> None:
    await filled(tmp_path / "cache")
    store = EdgeStore(tmp_path / "cache", patience=0.001)
    await store.open()
    assert store.stats()["state"] == "open"
    assert store.stats()["entries"] == 0
    await store.close()
