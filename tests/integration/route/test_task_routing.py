"""Task routing with the real embedding model."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from doubles.behaviours import text
from doubles.calling import CALLER, Calling, ask, backend, calling
from doubles.scripted import Scripted
from sluice_sidecar.cache.embed import EmbeddingError, MiniLM
from sluice_sidecar.config import Route, Task
from sluice_sidecar.route.classify import Classifier, Embed, builtin_examples, excerpt
from sluice_sidecar.route.router import Router

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

ASKS = {
    "Extraction": "From the delivery note below give me the consignee, the date and the gross weight as JSON.",
    "Classification": "Is the following comment friendly, hostile or neutral? Answer with one word.",
    "Reasoning": "Paul has 12 boxes of 9 screws, uses 41 screws and buys 3 more boxes. How many screws has he now?",
    "Generation": "Write a cheerful poem about a hedgehog who opens a bakery.",
}


@pytest.fixture(scope="module")
def embed() -> MiniLM:
    return MiniLM()


@pytest.fixture
def classifier(embed: MiniLM) -> Classifier:
    return Classifier(embed)


def router(desk: Calling, up: Scripted, embed: Embed | None, before: Router | None = None, **fields: Any) -> Router:
    names = ("small", "coder", "large")
    settings = {"backends": {"Extraction": "small", "Code": "coder"}, "default": "large", "margin": 0.05, **fields}
    route = Route(
        name="r",
        models=("auto",),
        backends={name: backend(up.url, name) for name in names},
        strategy=Task(**settings),
        reference="large",
    )
    return Router(route, desk.courier, embed=embed, carry_over=before)


async def test_shipped_classes_are_told_apart(classifier: Classifier) -> None:
    for name, text_ in ASKS.items():
        verdict = await classifier.classify(text_)
        assert verdict.name == name
        assert verdict.margin > 0.05


def test_every_shipped_class_has_its_examples() -> None:
    examples = builtin_examples()
    assert list(examples) == ["Extraction", "Classification", "Reasoning", "Generation"]
    for asks in examples.values():
        assert len(set(asks)) == len(asks) >= 40


async def test_the_class_names_the_backend_and_the_rest_go_to_the_default(embed: MiniLM) -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        route = router(desk, up, embed)
        await route.warm()
        chosen = {name: (await route.answer(ask(said), CALLER)).backend.name for name, said in ASKS.items()}
    assert chosen == {"Extraction": "small", "Classification": "large", "Reasoning": "large", "Generation": "large"}


async def test_what_is_not_clear_goes_to_the_default(embed: MiniLM) -> None:
    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        strict = router(desk, up, embed, margin=0.9)
        assert (await strict.answer(ask(ASKS["Extraction"]), CALLER)).backend.name == "large"


async def test_the_users_own_class(embed: MiniLM) -> None:
    code = (
        "Write a Rust function that parses a date.",
        "Fix the bug in this Go handler.",
        "Add a test for this class.",
    )
    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        route = router(desk, up, embed, examples={"Code": code})
        assert (await route.answer(ask("Write a Rust function that formats a time."), CALLER)).backend.name == "coder"


async def test_a_new_config_with_the_same_examples_need_not_fit_again(embed: MiniLM) -> None:
    calls = 0

    async def counted(said: str) -> "Vector":
        nonlocal calls
        calls += 1
        return await embed(said)

    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        before = router(desk, up, counted)
        await asyncio.gather(*(before.answer(ask(said), CALLER) for said in ASKS.values()))
        assert calls == len(ASKS) + sum(map(len, builtin_examples().values()))
        await router(desk, up, counted, before).answer(ask(ASKS["Extraction"]), CALLER)
        assert calls == 1 + len(ASKS) + sum(map(len, builtin_examples().values()))


async def test_an_embedder_that_fails_or_is_missing_costs_no_request() -> None:
    async def broken(_: str) -> "Vector":
        raise EmbeddingError("no model")

    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        for embed in (broken, None):
            reply = await router(desk, up, embed).answer(ask(ASKS["Extraction"]), CALLER)
            assert reply.backend.name == "large"


async def test_an_ask_that_is_no_text_goes_to_the_default(embed: MiniLM) -> None:
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
    async with Scripted() as up, calling() as desk:
        up.otherwise(text())
        assert (await router(desk, up, embed).answer(ask(messages=image), CALLER)).backend.name == "large"


async def test_a_long_ask_is_judged_by_its_ends(classifier: Classifier) -> None:
    filler = "lorem ipsum dolor sit amet " * 500
    assert len(excerpt(filler)) < 700
    verdict = await classifier.classify(ASKS["Extraction"] + "\n\n" + filler)
    assert verdict.name == "Extraction"


async def test_a_script_with_a_token_a_character_is_cut_shorter(classifier: Classifier) -> None:
    assert (await classifier.classify("請寫一首關於秋天的詩，並解釋每一行的意思。" * 40)).score <= 1.0
