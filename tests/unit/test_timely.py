"""Asks of the present moment are recognised, and their answers live shorter."""

import pytest

from doubles.cached import Hands, policy, printed, put
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.timely import timely


@pytest.mark.parametrize(
    "text",
    [
        "What's the weather in Paris?",
        "What is the latest version of Python?",
        "Who is the current president of France?",
        "How is the traffic right now?",
        "price of bitcoin",
        "What time is it in Tokyo?",
        "Summarise the news of the last 24 hours",
        "What happened this week?",
        "What is the exchange rate of the euro?",
    ],
)
def test_speaks_of_the_moment(text: str) -> None:
    assert timely(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "What is the capital of France?",
        "Write a function that sorts a list",
        "Explain electric current",
        "Is know-how the same as knowledge?",
        "",
    ],
)
def test_speaks_of_no_moment(text: str) -> None:
    assert not timely(text)


async def test_an_answer_of_the_moment_lives_shorter() -> None:
    clock = Hands()
    cache, kept = Cache(None, None, clock=clock, monotonic=clock), policy(timely=60.0)
    for text in ("What's the weather in Paris?", "What is the capital of France?"):
        await put(cache, printed(text, kept=kept), kept)
    clock.at += 61.0
    assert cache.identical(printed("What's the weather in Paris?", kept=kept), kept) is None
    assert cache.identical(printed("What is the capital of France?", kept=kept), kept) is not None


async def test_an_answer_of_the_moment_is_not_kept_at_all() -> None:
    cache, kept = Cache(None, None), policy(timely=0.0)
    assert not await put(cache, printed("What's the weather in Paris?", kept=kept), kept)
