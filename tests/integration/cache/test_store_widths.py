"""Every store keeps vectors of the width that it is made for, and tells them apart in their last dimensions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles.pinecone_stand_in import pinecone_stand_in
from doubles.qdrant_stand_in import standing_in
from doubles.records import NOW, record
from doubles.redis_search_stand_in import SearchRedis
from doubles.redis_server import RunningRedis
from doubles.stores import pinecone_store, qdrant_store, redis_store
from sluice_sidecar.cache.embedders.embedder import filled
from sluice_sidecar.cache.stores.edge import EdgeStore
from sluice_sidecar.cache.stores.faiss import FaissStore
from sluice_sidecar.cache.stores.store import Store

WIDE = 768


@asynccontextmanager
async def made(name: str, folder: Path) -> AsyncIterator[Store]:
    if name == "edge":
        yield EdgeStore(folder / "cache", width=WIDE)
    elif name == "edge, large scope":
        yield EdgeStore(folder / "cache", width=WIDE, large=2)
    elif name == "faiss":
        yield FaissStore(folder / "faiss", width=WIDE)
    elif name == "redis":
        async with RunningRedis(folder) as server:
            yield redis_store(server, width=WIDE)
    elif name == "redis search":
        async with RunningRedis(folder) as server, SearchRedis(server) as search:
            yield redis_store(search, width=WIDE)
    elif name == "qdrant":
        async with standing_in(folder) as standing:
            yield qdrant_store(standing, width=WIDE)
    else:
        async with pinecone_stand_in() as index:
            index.width = WIDE
            yield pinecone_store(index, width=WIDE)


def turned(place: int, cosine: float) -> Any:
    """A unit vector at that cosine to the first axis, turned towards `place`."""
    vector = np.zeros(WIDE, np.float32)
    vector[0], vector[place] = cosine, np.sqrt(1.0 - cosine**2)
    return vector


@pytest.mark.parametrize("name", ["edge", "edge, large scope", "faiss", "redis", "redis search", "qdrant", "pinecone"])
async def test_a_wide_vector_is_found_by_all_of_it(name: str, tmp_path: Path) -> None:
    async with made(name, tmp_path) as store:
        await store.open()
        for number, place in ((1, 700), (2, 701), (3, 1)):
            assert await store.put(record(number, vector=turned(place, 0.8).tobytes()), 10)
        for round_ in range(4):  # makes codes, where the store has them
            await store.nearest("s", turned(700, 0.8).tobytes(), 0.0, 4, NOW)
            await store.upkeep(NOW + round_)
        found = await store.nearest("s", turned(700, 0.8).tobytes(), 0.0, 4, NOW)
        assert found[0][1] == record(1).data
        assert [score for score, _ in found] == pytest.approx([1.0, 0.64, 0.64], abs=1e-5)
        await store.close()


def test_a_short_vector_is_filled_up_and_a_long_one_refused() -> None:
    rows = np.random.default_rng(3).standard_normal((2, 128)).astype(np.float32)
    one, other = (np.frombuffer(filled(row, 384), "<f4") for row in rows)
    assert one.shape == (384,)
    assert float(one @ other) == pytest.approx(float(rows[0] @ rows[1]), rel=1e-6)
    assert filled(np.ones(384, np.float32), 384) == np.ones(384, "<f4").tobytes()
    with pytest.raises(ValueError, match="768 dimensions does not fit a store of 384"):
        filled(turned(1, 0.5), 384)
