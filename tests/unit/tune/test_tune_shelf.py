"""The replay's own store finds exactly what a store should."""

import numpy as np

from sluice_cli.tune.shelf import FIRST, Shelf
from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.store import Record


def vector(cosine: float) -> bytes:
    """A unit vector of this cosine to the first axis."""
    row = np.zeros(WIDTH, "<f4")
    row[:2] = cosine, (1.0 - cosine**2) ** 0.5
    return row.tobytes()


def record(key: str, cosine: float, scope: str = "s", expires: float = 100.0) -> Record:
    return Record(key, scope, "t", "p", expires, expires, 0.0, key.encode(), vector(cosine))


async def found(shelf: Shelf, limit: int = 3, now: float = 0.0, least: float = 0.5) -> list[str]:
    return [data.decode() for _, data in await shelf.nearest("s", vector(1.0), least, limit, now)]


async def test_the_nearest_of_the_scope_come_first() -> None:
    shelf = Shelf()
    for key, cosine, scope in (("b", 0.8, "s"), ("a", 0.9, "s"), ("far", 0.3, "s"), ("other", 1.0, "x")):
        await shelf.put(record(key, cosine, scope), 10)
    assert await found(shelf) == ["a", "b"]
    assert await found(shelf, limit=1) == ["a"]


async def test_what_has_expired_makes_room_for_what_is_farther() -> None:
    shelf = Shelf()
    for key, cosine, expires in (("old", 0.95, 5.0), ("a", 0.9, 50.0), ("b", 0.8, 50.0)):
        await shelf.put(record(key, cosine, expires=expires), 10)
    assert await found(shelf, limit=2, now=10.0) == ["a", "b"]
    assert await shelf.get("old", 10.0) is None
    assert await shelf.get("a", 10.0) == b"a"


async def test_a_record_of_the_same_key_takes_its_place_and_many_fit() -> None:
    shelf = Shelf()
    for number in range(2 * FIRST + 1):
        await shelf.put(record(str(number), 0.6), 1000)
    await shelf.put(record("7", 0.99), 1000)
    assert (await found(shelf, limit=1)) == ["7"]
    assert shelf.stats()["entries"] == 2 * FIRST + 1
