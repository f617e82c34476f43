"""The real embedding model."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from doubles.asks import near_misses, paraphrases
from sluice_sidecar.cache.embed import TOKENS, MiniLM, TooLong, checked
from sluice_sidecar.cache.embedders.windows import MOST, OVERLAP
from sluice_sidecar.cache.reuse.paraphrase import eligible
from sluice_sidecar.cache.reuse.veto import disagreements

SIMILARITY = 0.85
"""Lower than any policy should name: the veto alone must hold."""


@pytest.fixture
async def model() -> AsyncIterator[MiniLM]:
    one = MiniLM()
    yield one
    one.close()


async def test_it_is_the_published_model(model: MiniLM) -> None:
    vector = checked(await model("This is an example sentence"))
    assert vector.dtype == np.float32
    assert vector[:6] == pytest.approx([0.0677, 0.0635, 0.0487, 0.0793, 0.0374, 0.0027], abs=0.008)


async def test_a_text_beyond_its_windows_is_refused(model: MiniLM) -> None:
    size = TOKENS - 2
    longest = size + (MOST - 1) * (size - size // OVERLAP)
    await model("word " * longest)
    for text in ("word " * (longest + 1), "x" * 100_000):
        with pytest.raises(TooLong):
            await model(text)


async def test_the_end_of_a_long_text_counts(model: MiniLM) -> None:
    start = "The quick brown fox jumps over the lazy dog. " * 30
    one, other = [await model(start + end) for end in ("Where is my parcel?", "Book me a table for two tonight.")]
    assert float(one @ other) < 0.999
    assert float(one @ one) == pytest.approx(1.0, abs=1e-5)


async def test_texts_that_run_together_get_the_vectors_that_they_get_alone(model: MiniLM) -> None:
    """Padding and neighbours change nothing, whatever the lengths."""
    texts = [one for _, one, _ in near_misses()[:48]] + [
        "a",
        "word " * 60,
        "word " * 700,
        "\U0001f600 \u05e9\u05dc\u05d5\u05dd",
        "",
    ]
    single = MiniLM(batch=1)
    together, alone = await asyncio.gather(*map(model, texts)), await asyncio.gather(*map(single, texts))
    single.close()
    assert max(float(np.abs(a - b).max()) for a, b in zip(together, alone, strict=True)) < 1e-5


async def test_asks_at_the_same_time_load_it_once_and_each_get_their_own(model: MiniLM) -> None:
    texts = [f"text number {number}" for number in range(8)]
    together = await asyncio.gather(*map(model, texts))
    alone = [await model(text) for text in texts]
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))
    assert len({vector.tobytes() for vector in together}) == len(texts)


async def similarity(model: MiniLM, one: str, other: str) -> float:
    return float(np.dot(await model(one), await model(other)))


async def shared(model: MiniLM, one: str, other: str) -> bool:
    return (
        eligible(one)
        and eligible(other)
        and await similarity(model, one, other) >= SIMILARITY
        and not disagreements(one, other)
    )


async def test_near_misses_do_not_share_an_answer(model: MiniLM) -> None:
    pairs = near_misses()
    assert len(pairs) >= 300
    tempting = [await similarity(model, one, other) >= SIMILARITY for _, one, other in pairs]
    assert sum(tempting) >= len(pairs) / 2, "the pairs must be near enough to prove anything"
    leaks = [(kind, one, other) for kind, one, other in pairs if await shared(model, one, other)]
    print(f"near misses at {SIMILARITY}: {sum(tempting)} of {len(pairs)} near enough, {len(leaks)} given")
    assert len(leaks) <= 0.01 * len(pairs), leaks


async def test_most_paraphrases_do(model: MiniLM) -> None:
    pairs = paraphrases()
    assert len(pairs) >= 100
    found = [await shared(model, one, other) for one, other in pairs]
    print(f"recall at {SIMILARITY}: {sum(found)} of {len(pairs)}")
    assert sum(found) >= 0.7 * len(pairs)
