"""A purge leaves nothing behind of what was being learned, nor of what is shown to operators."""

import asyncio
import random
import threading

import pytest

from doubles.cached import ACME, Hands, printed, put
from doubles.classes import Classes, said
from doubles.invoices import asked as asked_invoice
from doubles.invoices import invoice, invoices
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache import layouts
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.reuse.template import induce


async def test_a_layout_that_is_being_learned_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    learning, purged = threading.Event(), threading.Event()

    def held(*args: object) -> object:
        learning.set()
        assert purged.wait(30)
        return induce(*args)  # type: ignore[arg-type]

    clock, rng, kept, shelf = Hands(), random.Random(1), invoices(), Shelf()
    cache = Cache(shelf, None, clock=clock, monotonic=clock)
    for _ in range(2):
        await asked_invoice(cache, *invoice(rng), kept)
    monkeypatch.setattr(layouts, "induce", held)
    third = asyncio.create_task(asked_invoice(cache, *invoice(rng), kept))
    await asyncio.to_thread(learning.wait, 30)
    await cache.purge(tenant="acme")
    purged.set()
    await third
    monkeypatch.undo()
    assert shelf.records == {}
    assert len(cache._meaning._layouts._known) == 0


@pytest.mark.parametrize("what", [{"tenant": "acme"}, {"policy": "support"}, {}])
async def test_what_was_learned_of_purged_documents_is_forgotten(what: dict[str, str]) -> None:
    clock, rng, kept = Hands(), random.Random(1), invoices()
    cache = Cache(Shelf(), None, clock=clock, monotonic=clock)
    for _ in range(4):
        await asked_invoice(cache, *invoice(rng), kept)
    assert len(cache._meaning._layouts._known) == 2
    await cache.purge(**what)
    assert len(cache._meaning._layouts._known) == 0


async def test_a_purged_document_teaches_no_more() -> None:
    clock, rng, kept = Hands(), random.Random(1), invoices()
    cache = Cache(Shelf(), None, clock=clock, monotonic=clock)
    texts = [invoice(rng) for _ in range(5)]
    for one in texts[:3]:
        await asked_invoice(cache, *one, kept)
    await cache.purge(entry=printed(texts[0][0], kept=kept).key)
    assert (await cache.look(printed(texts[4][0], kept=kept), kept)).judged == ()


async def test_purged_texts_are_not_shown_any_more() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, sorting(), 150)
    await served(cache, classes, sorting(), 20, request="r")
    shown = cache.recent(100)
    assert len(shown) > 10
    await cache.purge(entry=shown[0].key)
    assert shown[0].key not in {hit.key for hit in cache.recent(100)}
    assert len(cache.recent(100)) > 0
    await cache.purge(tenant="globex")
    assert len(cache.recent(100)) > 0
    await cache.purge(tenant=ACME.tenant)
    assert cache.recent(100) == []


async def test_a_label_of_purged_evidence_is_none() -> None:
    classes, kept = Classes(), sorting()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, kept, 60)
    text, answer = classes.ask()
    fp = printed(text, kept=kept)
    look = await cache.look(fp, kept)
    assert look.judged
    await cache.purge()
    await put(cache, fp, kept, whole=said(answer), look=look)
    assert cache.learner.report() == {}
