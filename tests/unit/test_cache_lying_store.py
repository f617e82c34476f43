"""A store that gives what was not asked for is not believed: each record is checked by what it says itself."""

import random
from typing import Any

import pytest

from doubles.cached import ACME, Hands, Told, policy, printed, put
from doubles.classes import Classes, said
from doubles.invoices import asked as asked_invoice
from doubles.invoices import invoice, invoices
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.ask import Caller
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.config import Paraphrase, Policy

GLOBEX = Caller("globex", ACME.headers)
ASKED, REWORDED = "How do I reset my password?", "Please tell me how to reset my password"


class Liar(Shelf):
    """Answers every question with all that it has, as near as can be, expired or not."""

    async def get(self, key: str, now: float) -> bytes | None:
        return next((record.data for record in self.records.values()), None)

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        return [(1.0, record.data) for record in self.records.values()]


def loose(**changes: Any) -> Policy:
    return policy(paraphrase=Paraphrase(similarity=0.9), **changes)


def cache(liar: Liar, clock: Hands) -> Cache:
    return Cache(liar, Told(), clock=clock, monotonic=clock)


@pytest.mark.parametrize("lie", ["tenant", "scope", "policy", "expired", "future"])
async def test_a_foreign_or_dead_entry_has_no_say(lie: str) -> None:
    liar, clock = Liar(), Hands()
    caller = GLOBEX if lie == "tenant" else ACME
    fields = {"temperature": 1.0} if lie == "scope" else {}
    kept = loose(name="other") if lie == "policy" else loose()
    if lie == "future":
        clock.at += 60.0
    await put(cache(liar, clock), printed(ASKED, caller, kept, **fields), kept, caller)
    clock.at += {"expired": 3600.0, "future": -60.0}.get(lie, 0.0)
    for text in (ASKED, REWORDED):
        look = await cache(liar, clock).look(printed(text, kept=loose()), loose())
        assert (look.hit, look.neighbours, look.judged) == (None, (), ())


async def test_the_liar_is_believed_where_it_tells_the_truth() -> None:
    liar, clock = Liar(), Hands()
    await put(cache(liar, clock), printed(ASKED, kept=loose()), loose())
    assert (await cache(liar, clock).look(printed(REWORDED, kept=loose()), loose())).hit is not None


async def test_a_layout_is_not_learned_from_another_tenants_documents() -> None:
    liar, clock, rng, kept = Liar(), Hands(), random.Random(1), invoices()
    one = Cache(liar, None, clock=clock, monotonic=clock)
    for _ in range(5):
        text, answer = invoice(rng)
        await put(one, printed(text, GLOBEX, kept), kept, GLOBEX, whole=said(answer))
    look = await asked_invoice(one, *invoice(rng), kept)
    assert (look.hit, look.neighbours, look.judged) == (None, (), ())


async def test_evidence_of_another_policy_opens_nothing() -> None:
    shelf, liar, clock, classes = Shelf(), Liar(), Hands(), Classes()
    one = made(shelf, classes, clock)
    await served(one, classes, sorting(), 200)
    clock.at += 20.0
    await one.upkeep()
    assert one.learner.report()["support"]["label"].open
    liar.records = shelf.records
    other, kept = made(liar, classes, clock, "two"), sorting(name="other")
    await served(other, classes, kept, 12)
    assert not other.learner.report()["other"]["label"].open


async def test_evidence_that_ended_opens_nothing() -> None:
    shelf, liar, clock, classes, kept = Shelf(), Liar(), Hands(), Classes(), sorting()
    one = made(shelf, classes, clock)
    await served(one, classes, kept, 200)
    clock.at += 20.0
    await one.upkeep()
    clock.at += 31 * 86_400.0
    liar.records = shelf.records
    other = made(liar, classes, clock, "two")
    await served(other, classes, kept, 12)
    assert not other.learner.report()["support"]["label"].open
