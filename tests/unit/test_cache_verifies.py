"""A policy's verifier has the last word on a paraphrase, and what it refuses teaches nothing."""

import asyncio
from typing import Any

import pytest

from doubles.cached import Told, policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.verifiers.verifier import VerifierError
from sluice_sidecar.config import OnnxVerifier, Paraphrase, Policy, Verifier

ASKED, REWORDED = "How do I reset my password?", "Please tell me how to reset my password"
MODEL = OnnxVerifier(path="/models/pairs")


class Says:
    """A verifier that says one thing, or fails."""

    def __init__(self, said: Any) -> None:
        self.said, self.pairs = said, list[tuple[str, str]]()

    async def __call__(self, one: str, other: str) -> float:
        self.pairs.append((one, other))
        if self.said is None:
            await asyncio.get_running_loop().create_future()
        if isinstance(self.said, Exception):
            raise self.said
        return float(self.said)

    def close(self) -> None:
        pass


def kept(threshold: float = 0.5, timeout: float = 5.0, **more: Any) -> Policy:
    verifier = Verifier(model=MODEL, threshold=threshold, timeout=timeout)
    return policy(paraphrase=Paraphrase(similarity=0.8, verifier=verifier), **more)


def made(says: Says | None) -> Cache:
    cache = Cache(Shelf(), Told())
    cache.use(Told(), None, None if says is None else {MODEL: says})
    return cache


async def reworded(cache: Cache, policy_: Policy) -> str | None:
    await put(cache, printed(ASKED, kept=policy_), policy_)
    hit = (await cache.look(printed(REWORDED, kept=policy_), policy_)).hit
    return None if hit is None else hit.how


async def test_at_the_threshold_it_is_given() -> None:
    says = Says(0.5)
    assert await reworded(made(says), kept()) == "paraphrase"
    assert says.pairs == [(REWORDED, ASKED)]


async def test_below_the_threshold_it_is_refused_and_counted() -> None:
    cache = made(Says(0.49))
    assert await reworded(cache, kept()) is None
    assert cache.stats()["vetoes"] == {"verifier": 1}


@pytest.mark.parametrize("says", [Says(VerifierError("down")), Says(RuntimeError("odd")), Says(float("nan")), None])
async def test_trouble_is_a_miss(says: Says | None) -> None:
    assert await reworded(made(says), kept()) is None


async def test_too_late_is_a_miss() -> None:
    assert await reworded(made(Says(None)), kept(timeout=0.001)) is None


async def test_an_identical_ask_is_never_put_to_it() -> None:
    says, policy_ = Says(0.0), kept()
    cache = made(says)
    await put(cache, printed(ASKED, kept=policy_), policy_)
    assert cache.identical(printed(ASKED, kept=policy_), policy_) is not None
    assert says.pairs == []


@pytest.mark.parametrize(
    ("said", "labels"), [(0.9, 1), (0.1, 0), (VerifierError("down"), 0)], ids=["agrees", "differs", "fails"]
)
async def test_a_closed_strategy_learns_only_of_what_it_would_let_through(said: Any, labels: int) -> None:
    says, policy_ = Says(said), kept(bound=0.01)
    cache = made(says)
    await put(cache, printed(ASKED, kept=policy_), policy_)
    look = await cache.look(printed(REWORDED, kept=policy_), policy_)
    assert look.hit is None
    assert says.pairs == [], "nobody waits for a verdict on what risk would not give"
    await put(cache, printed(REWORDED, kept=policy_), policy_, look=look)
    assert says.pairs == [(REWORDED, ASKED)]
    assert cache.learner.tally.labels.total() == labels


async def test_another_verifier_begins_without_evidence() -> None:
    cache = made(Says(0.9))
    one, other = kept(bound=0.01), kept(0.6, bound=0.01)
    await put(cache, printed(ASKED, kept=one), one)
    await put(cache, printed(REWORDED, kept=one), one, look=await cache.look(printed(REWORDED, kept=one), one))
    assert cache.learner.report()["support"]["paraphrase"].labels == 1
    await cache.look(printed("Tell me how to reset my password, please", kept=other), other)
    assert cache.learner.report()["support"]["paraphrase"].labels == 0
