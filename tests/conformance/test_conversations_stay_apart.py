"""An answer belongs to its conversation: the same last question under another history is another ask."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import Paraphrase

OSLO = ("What is the ferry timetable in Oslo?", "It sails at nine.")
BERGEN = ("What is the ferry timetable in Bergen?", "It sails at ten.")
LEANING = ("and tomorrow?", "And on Sunday?", "What about the evening?", "yes", "why?", "shorter please")
WHOLE = ("How do I buy a ferry ticket at the harbour?", "How can I buy a ferry ticket at the harbour?")


@pytest.fixture
async def served(up: Scripted, tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway that reuses by meaning whatever is near, behind the guards alone."""
    up.otherwise(do.text("An answer."))
    kept = config(
        route([backend(up.url)], policy="keep"), policies=[policy(paraphrase=Paraphrase(similarity=0.5))]
    )  # fmt: skip
    async with serving(kept, data=tmp_path) as one:
        yield one


async def ask(served: Served, last: str, *turns: tuple[str, str]) -> str:
    """How the cache took part in a conversation's last question."""
    messages: list[dict[str, Any]] = []
    for question, answer in turns:
        messages += ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    body = {"model": "auto", "messages": [*messages, {"role": "user", "content": last}]}
    async with httpx.AsyncClient() as client:
        answer_ = await client.post(served.base_url + "/chat/completions", json=body, timeout=60.0)
    assert answer_.status_code == 200, answer_.text
    return answer_.headers["x-sluice-cache"]


@pytest.mark.parametrize("last", LEANING)
async def test_an_ask_that_leans_on_a_history_never_hits_anothers(served: Served, last: str) -> None:
    assert await ask(served, last, OSLO) == "miss"
    assert await ask(served, last, BERGEN) == "miss"
    assert await ask(served, last) == "miss"
    assert await ask(served, last, OSLO, BERGEN) == "miss"
    assert await ask(served, last, OSLO) == "identical"


async def test_the_same_question_hits_under_the_same_history_alone(served: Served) -> None:
    asked, reworded = WHOLE
    assert await ask(served, asked, OSLO) == "miss"
    assert await ask(served, reworded, OSLO) == "paraphrase"
    assert await ask(served, reworded, BERGEN) == "miss"
    assert await ask(served, reworded) == "miss"


async def test_one_word_of_the_history_makes_another_conversation(served: Served) -> None:
    asked, reworded = WHOLE
    question, answer = OSLO
    assert await ask(served, asked, OSLO) == "miss"
    assert await ask(served, reworded, (question, answer + " Not today.")) == "miss"
    assert await ask(served, asked, (question.replace("Oslo", "oslo"), answer)) == "miss"
