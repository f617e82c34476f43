"""Evidence that is damaged in the store counts as none, and the upkeep goes on."""

import dataclasses

import pytest

from doubles.cached import Hands
from doubles.classes import Classes
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache.evidence import OWNER


async def proven(shelf: Shelf, classes: Classes, clock: Hands) -> None:
    """A store with evidence that opens labels."""
    cache = made(shelf, classes, clock)
    await served(cache, classes, sorting(), 200)
    clock.at += 20.0
    await cache.upkeep()


async def opens(shelf: Shelf, classes: Classes, clock: Hands, replica: str) -> bool:
    cache = made(shelf, classes, clock, replica)
    await served(cache, classes, sorting(), 12)
    return cache.learner.report()["support"]["label"].open


@pytest.mark.parametrize("replica", ["one", "two"])
@pytest.mark.parametrize(
    "junk",
    [b"", b"7\n", b"null\n{}", b"[]\n", b"[1,2,3,4]\n", b'["a"', b'{"a":1}\n', b"\xff\xfe\n", b"[2,[],{},null]\n"],
)
async def test_a_record_that_is_none(junk: bytes, replica: str) -> None:
    shelf, classes, clock = Shelf(), Classes(), Hands()
    await proven(shelf, classes, clock)
    for key, record in list(shelf.records.items()):
        if record.policy == OWNER:
            shelf.records[key] = dataclasses.replace(record, data=junk)
    assert not await opens(shelf, classes, clock, replica)


@pytest.mark.parametrize("replica", ["one", "two"])
async def test_a_snapshot_with_a_flipped_bit(replica: str) -> None:
    shelf, classes, clock = Shelf(), Classes(), Hands()
    await proven(shelf, classes, clock)
    for key, record in list(shelf.records.items()):
        if record.policy == OWNER:
            data = bytearray(record.data)
            data[-9] ^= 1
            shelf.records[key] = dataclasses.replace(record, data=bytes(data))
    assert not await opens(shelf, classes, clock, replica)


async def test_what_is_whole_opens() -> None:
    shelf, classes, clock = Shelf(), Classes(), Hands()
    await proven(shelf, classes, clock)
    assert await opens(shelf, classes, clock, "one")
