"""Which asks can be understood alone: only those are matched by meaning."""

import pytest

from sluice_sidecar.cache.reuse.paraphrase import LONGEST, eligible


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "capital of france",
        "Is there a fee for transfers?",
        "My new card was declined abroad, why is that?",
        "Write a poem about autumn",
    ],
)
def test_complete_asks(text: str) -> None:
    assert eligible(text)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "yes", "why?", "and tomorrow?", "What about Berlin next week?", "How about a shorter text?",
        "And how do I cancel the order?", "But that is not what I asked", "Is it safe?", "What does this mean?",
        "Make it shorter please", "Do the same for the second file", "Explain the answer above in detail",
        "go on please", "Which one is better?", "12 + 30", "???", "👍 👍 👍",
        "Wie setze ich mein Passwort zurück?", "¿Dónde está el banco más cercano?", "什么是 人工 智能 呢",
        "hello привет world friend", "word " * LONGEST,
    ],
)  # fmt: skip
def test_asks_that_need_more_than_themselves(text: str | None) -> None:
    assert not eligible(text)
