"""An ask that imitates a cached one, but for the word that turns it round, gets no answer from the cache."""

from collections.abc import AsyncIterator

import pytest

from doubles.cached import policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.embed import MiniLM
from sluice_sidecar.config import Paraphrase

ANY = policy(paraphrase=Paraphrase(similarity=0.5))
ASKED = (
    "How do I reset my password?",
    "Is it safe to mix bleach with water?",
    "Should I take aspirin before the surgery?",
    "Delete the old backups of the main server please",
    "Why does the build work on my laptop?",
)
PLACES = ("not {}", "{} not", "{} (not!)", "NOT: {}", "{} Not really.", "Do not answer this: {}")


@pytest.fixture
async def model() -> AsyncIterator[MiniLM]:
    one = MiniLM()
    yield one
    one.close()


async def hits(model: MiniLM, stored: str, text: str) -> bool:
    shelf = Shelf()
    await put(Cache(shelf, model), printed(stored, kept=ANY), ANY)
    return (await Cache(shelf, model).look(printed(text, kept=ANY), ANY)).hit is not None


@pytest.mark.parametrize("asked", ASKED)
async def test_not_is_seen_wherever_it_stands(model: MiniLM, asked: str) -> None:
    words = asked.split()
    turned = [place.format(asked) for place in PLACES]
    turned += [" ".join([*words[:at], "not", *words[at:]]) for at in range(1, len(words))]
    for text in turned:
        assert not await hits(model, asked, text), text
        assert not await hits(model, text, asked), text


async def test_a_not_in_disguise_is_seen(model: MiniLM) -> None:
    for spelled in ("n\u200bot", "no\u0301t", "\uff4e\uff4f\uff54", "\u0274\u1d0f\u1d1b", "n0t", "n o t"):
        assert not await hits(model, "How do I reset my password?", f"How do I {spelled} reset my password?"), spelled


async def test_the_same_ask_in_other_words_is_given(model: MiniLM) -> None:
    assert await hits(model, "How do I reset my password?", "How can I reset my password?")
