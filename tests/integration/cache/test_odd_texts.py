"""Odd texts: found when they are identical, never taken for one another. The real embedder, at any similarity."""

from collections.abc import AsyncIterator

import pytest

from doubles.cached import Told, policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.embed import Embedder, MiniLM
from sluice_sidecar.config import Paraphrase, Policy

ANY = policy(paraphrase=Paraphrase(similarity=0.5))
MEGABYTE = "Where is my parcel? " * 52_429
ODD = {
    "empty": ("", "0"),
    "a megabyte": (MEGABYTE, MEGABYTE + "now"),
    "figures": ("12345 67890 111", "12345 67890 112"),
    "figures in a sentence": ("Is order 4711 on its way?", "Is order 4712 on its way?"),
    "two scripts": ("How do I log in to paypal?", "How do I log in to p\u0430ypal?"),
    "emoji": ("Is \U0001f600 a good answer to my boss?", "Is \U0001f621 a good answer to my boss?"),
    "nothing but emoji": ("\U0001f600 " * 4, "\U0001f621 " * 4),
    "arrows": ("Does the gas flow \u2190 in this valve?", "Does the gas flow \u2192 in this valve?"),
    "right to left": ("\u05d0\u05d9\u05da \u05d0\u05e0\u05d9 \u05de\u05d1\u05d8\u05dc \u05d4\u05d6\u05de\u05e0\u05d4",
                      "\u05d0\u05d9\u05da \u05d0\u05e0\u05d9 \u05de\u05d7\u05d3\u05e9 \u05d4\u05d6\u05de\u05e0\u05d4"),
    "right to left, marked": ("How do I reset \u202ecode\u202c number 1?", "How do I reset \u202ecode\u202c number 2?"),
    "chinese": ("\u6211\u600e\u4e48\u53d6\u6d88\u8ba2\u9605", "\u6211\u600e\u4e48\u7eed\u8ba2\u8ba2\u9605"),
}  # fmt: skip


@pytest.fixture
async def model() -> AsyncIterator[MiniLM]:
    one = MiniLM()
    yield one
    one.close()


async def given(model: Embedder, stored: str, text: str, kept: Policy = ANY) -> str | None:
    """By which strategy `text` gets the answer to `stored` from a store that keeps nothing else."""
    shelf = Shelf()
    assert await put(Cache(shelf, model), printed(stored, kept=kept), kept)
    hit = (await Cache(shelf, model).look(printed(text, kept=kept), kept)).hit
    return None if hit is None else hit.how


async def test_an_odd_text_is_found_again(model: MiniLM) -> None:
    assert {name: await given(model, text, text) for name, (text, _) in ODD.items()} == dict.fromkeys(ODD, "identical")


async def test_no_odd_text_is_taken_for_another(model: MiniLM) -> None:
    for name, (text, other) in ODD.items():
        assert await given(model, text, other) is None, name
        assert await given(model, other, text) is None, name


async def test_no_odd_text_is_taken_for_a_usual_one(model: MiniLM) -> None:
    for name, (text, _) in ODD.items():
        assert await given(model, "How do I reset my password?", text) is None, name


async def test_a_megabyte_is_not_embedded() -> None:
    told = Told()
    assert await given(told, MEGABYTE, MEGABYTE + "now") is None
    assert told.asked == []
