"""An embedder that hangs costs a miss, never an answer, and holds nothing for ever."""

import asyncio
from typing import Any

import pytest

from doubles.cached import Hands, policy, printed, put
from doubles.classes import Classes, said
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache import meaning
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.config import Paraphrase

KEPT = policy(paraphrase=Paraphrase(similarity=0.9))


class Hanging(Classes):
    """Answers nothing once it hangs."""

    hangs = True

    async def __call__(self, text: str) -> Any:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().__call__(text)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "SLOWEST", 0.0)
    monkeypatch.setattr(meaning, "PATIENT", 0.0)


async def test_it_is_a_miss_and_the_answer_is_kept_without_a_vector() -> None:
    shelf = Shelf()
    cache = Cache(shelf, Hanging())
    fp = printed("How do I fold a shirt?", kept=KEPT)
    look = await cache.look(fp, KEPT)
    assert (look.hit, look.vector) == (None, None)
    assert await put(cache, fp, KEPT, whole=said("Like this."), look=look)
    assert [record.vector for record in shelf.records.values()] == [None]
    assert cache.stats()["counts"]["embedding_errors"] == 2


async def test_a_strategy_that_is_open_gives_nothing_while_it_hangs() -> None:
    classes, kept, clock = Hanging(), sorting(), Hands()
    classes.hangs = False
    cache = made(Shelf(), classes, clock)
    await served(cache, classes, kept, 150)
    assert cache.learner.report()["support"]["label"].open
    classes.hangs = True
    assert (await served(cache, classes, kept, 10))[0] == 0
    classes.hangs = False
    assert (await served(cache, classes, kept, 30))[0] > 10
