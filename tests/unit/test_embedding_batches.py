"""Texts that wait go together, and no asker waits for ever."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sluice_sidecar.cache.embedders.batches import Batches
from sluice_sidecar.cache.embedders.embedder import EmbeddingError

if TYPE_CHECKING:
    from sluice_sidecar.cache.embedders.embedder import Vector


class Held:
    """Many texts to vectors (their lengths), when the test lets a run go on."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.failure: Exception | None = None
        self.begun = asyncio.Semaphore(0)
        self.go = asyncio.Semaphore(0)

    async def __call__(self, texts: Sequence[str]) -> "Sequence[Vector | EmbeddingError]":
        self.runs.append(list(texts))
        self.begun.release()
        await self.go.acquire()
        if self.failure is not None:
            raise self.failure
        return [EmbeddingError("bad text") if text == "bad" else vector(text) for text in texts]


def vector(text: str) -> "Vector":
    return np.full(1, len(text), np.float32)


async def asked(batches: Batches, *texts: str) -> "list[asyncio.Task[Vector]]":
    """Asks that have reached the queue."""
    tasks = [asyncio.ensure_future(batches(text)) for text in texts]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_text_runs_at_once_and_those_that_wait_run_together() -> None:
    held = Held()
    batches = Batches(held, most=3)
    first = await asked(batches, "a")
    await held.begun.acquire()
    others = await asked(batches, "bb", "ccc", "dddd", "eeeee")
    for _ in range(3):
        held.go.release()
    assert [float(one[0]) for one in await asyncio.gather(*first, *others)] == [1, 2, 3, 4, 5]
    assert held.runs == [["a"], ["bb", "ccc", "dddd"], ["eeeee"]]


async def test_no_text_is_left_when_a_lane_comes_free_whatever_the_step_it_comes_in() -> None:
    async def at_once(texts: Sequence[str]) -> "Sequence[Vector | EmbeddingError]":
        return [vector(text) for text in texts]

    for steps in range(8):
        batches = Batches(at_once)
        await batches("first")
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            assert await batches("next") == pytest.approx([4.0])


async def test_a_free_lane_is_used() -> None:
    held = Held()
    batches = Batches(held, lanes=2)
    one = await asked(batches, "a")
    await held.begun.acquire()
    other = await asked(batches, "bb")
    await held.begun.acquire()
    assert held.runs == [["a"], ["bb"]]
    held.go.release()
    held.go.release()
    await asyncio.gather(*one, *other)


async def test_beyond_the_queues_bound_the_asker_is_refused_at_once() -> None:
    held = Held()
    batches = Batches(held, most=1, waiting=2)
    running = await asked(batches, "a")
    await held.begun.acquire()
    waiting = await asked(batches, "b", "c")
    with pytest.raises(EmbeddingError, match="2 texts wait"):
        await batches("d")
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    admitted = await asked(batches, "e")  # who left makes room
    for _ in range(3):
        held.go.release()
    await asyncio.gather(*running, waiting[1], *admitted)
    assert held.runs == [["a"], ["c"], ["e"]]


async def test_a_text_without_a_vector_spoils_no_other() -> None:
    held = Held()
    batches = Batches(held)
    held.go.release()
    good, bad = await asyncio.gather(batches("good"), batches("bad"), return_exceptions=True)
    assert isinstance(bad, EmbeddingError)
    assert not isinstance(good, BaseException)


@pytest.mark.parametrize("failure", [EmbeddingError("no model"), RuntimeError("a fault")])
async def test_a_failed_run_is_told_to_its_askers_and_the_next_is_tried(failure: Exception) -> None:
    held = Held()
    batches = Batches(held)
    held.failure = failure
    held.go.release()
    with pytest.raises(EmbeddingError, match=str(failure)):
        await batches("a")
    held.failure = None
    held.go.release()
    assert await batches("a") == pytest.approx([1.0])


async def test_the_last_vectors_are_remembered() -> None:
    held = Held()
    batches = Batches(held, keep=1)
    for text in ("a", "a", "b", "a"):
        held.go.release()
        await batches(text)
    assert held.runs == [["a"], ["b"], ["a"]]


async def test_closing_ends_every_wait() -> None:
    held = Held()
    batches = Batches(held, most=1)
    running = await asked(batches, "a")
    await held.begun.acquire()
    waiting = await asked(batches, "b")
    unborn = Batches(held)
    waiting += await asked(unborn, "c")  # its run has not begun yet
    batches.close()
    unborn.close()
    for task in (*running, *waiting):
        with pytest.raises(EmbeddingError, match="closed"):
            await task
    for closed in (batches, unborn):
        with pytest.raises(EmbeddingError, match="closed"):
            await closed("d")
