"""What the cache gives back, and what it never gives."""

import logging
from typing import Any

import numpy as np
import pytest

from doubles.cached import ACME, ANSWER, Hands, Told, axis, policy, printed, put
from doubles.shelf import Shelf
from sluice_sidecar.ask import Caller
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.embed import EmbeddingError, TooLong
from sluice_sidecar.cache.memory import Memory
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.config import Paraphrase, Policy, PolicyLimits

ASKED = "How do I reset my password?"
REWORDED = "Please tell me how to reset my password"


def loose(**changes: Any) -> Policy:
    return policy(paraphrase=Paraphrase(similarity=0.9), **changes)


def made(
    store: Shelf | None = None, embedder: Told | None = None, clock: Hands | None = None, entries: int = 100
) -> Cache:
    clock = clock or Hands()
    return Cache(store, embedder, clock=clock, monotonic=clock, memory=Memory(entries=entries))


async def test_an_identical_ask_hits_memory() -> None:
    cache = made()
    assert cache.identical(printed(), policy()) is None
    assert await put(cache, printed(), policy())
    hit = cache.identical(printed(), policy())
    assert hit is not None
    assert (hit.how, hit.similarity, hit.stale, hit.entry.whole) == ("identical", None, False, ANSWER)
    assert (hit.entry.tenant, hit.entry.backend, hit.entry.usage.prompt) == ("acme", "large", 3)


async def test_an_identical_ask_hits_the_store_and_then_memory() -> None:
    shelf = Shelf()
    await put(made(shelf), printed(), policy())
    cache = made(shelf)
    assert cache.identical(printed(), policy()) is None
    hit = (await cache.look(printed(), policy())).hit
    assert hit is not None
    assert hit.entry.whole == ANSWER
    assert cache.identical(printed(), policy()) is not None


async def test_another_tenant_misses() -> None:
    cache = made(Shelf(), Told())
    await put(cache, printed(ASKED, kept=loose()), loose())
    other = printed(ASKED, Caller("globex"), kept=loose())
    assert cache.identical(other, loose()) is None
    assert (await cache.look(other, loose())).hit is None


async def test_a_policy_without_identical_reuse_gives_none() -> None:
    cache = made(Shelf())
    await put(cache, printed(), policy())
    assert cache.identical(printed(), policy(identical=False)) is None
    assert (await cache.look(printed(), policy(identical=False))).hit is None


async def test_a_life_ends() -> None:
    clock, shelf = Hands(), Shelf()
    cache = made(shelf, clock=clock)
    await put(cache, printed(), policy(ttl=60.0))
    clock.at += 59.9
    assert cache.identical(printed(), policy()) is not None
    clock.at += 0.1
    assert cache.identical(printed(), policy()) is None
    assert (await cache.look(printed(), policy())).hit is None


async def test_after_its_life_it_is_stale_for_a_while() -> None:
    clock, kept = Hands(), policy(ttl=60.0, stale_while_revalidate=30.0)
    cache = made(Shelf(), clock=clock)
    await put(cache, printed(), kept)
    clock.at += 60.0
    hit = cache.identical(printed(), kept)
    assert hit is not None
    assert hit.stale
    assert cache.identical(printed(), kept, max_age=1000.0) is None, "who names an age gets nothing stale"
    clock.at += 30.0
    assert cache.identical(printed(), kept) is None


async def test_nothing_older_than_the_caller_allows() -> None:
    clock = Hands()
    cache = made(Shelf(), clock=clock)
    await put(cache, printed(), policy())
    clock.at += 10.0
    assert cache.identical(printed(), policy(), max_age=9.0) is None
    assert (await cache.look(printed(), policy(), max_age=9.0)).hit is None
    assert cache.identical(printed(), policy(), max_age=10.0) is not None


async def test_another_wording_hits() -> None:
    cache = made(Shelf(), Told(**{REWORDED: axis(0.95)}))
    await put(cache, printed(ASKED, kept=loose()), loose())
    hit = (await cache.look(printed(REWORDED, kept=loose()), loose())).hit
    assert hit is not None
    assert hit.how == "paraphrase"
    assert hit.similarity == pytest.approx(0.95)
    assert hit.entry.text == ASKED


async def test_below_the_similarity_it_misses() -> None:
    cache = made(Shelf(), Told(**{REWORDED: axis(0.89)}))
    await put(cache, printed(ASKED, kept=loose()), loose())
    assert (await cache.look(printed(REWORDED, kept=loose()), loose())).hit is None


@pytest.mark.parametrize(("least", "hits"), [(0.5, True), (0.94, True), (0.96, False), (float("nan"), False)])
async def test_a_caller_can_only_raise_the_similarity(least: float, hits: bool) -> None:
    cache = made(Shelf(), Told(**{REWORDED: axis(0.95), "How do I unlock my bike?": axis(0.85)}))
    await put(cache, printed(ASKED, kept=loose()), loose())
    found = (await cache.look(printed(REWORDED, kept=loose()), loose(), min_similarity=least)).hit
    assert (found is not None) is hits
    low = printed("How do I unlock my bike?", kept=loose())
    assert (await cache.look(low, loose(), min_similarity=least)).hit is None


async def test_without_a_named_similarity_there_is_no_paraphrase() -> None:
    told = Told()
    cache = made(Shelf(), told)
    await put(cache, printed(ASKED), policy())
    assert (await cache.look(printed(REWORDED), policy())).hit is None
    assert told.asked == []


async def test_another_scope_is_never_a_neighbour() -> None:
    cache = made(Shelf(), Told())
    await put(cache, printed(ASKED, kept=loose(), temperature=0), loose())
    assert (await cache.look(printed(REWORDED, kept=loose(), temperature=1), loose())).hit is None


async def test_an_expired_neighbour_is_none() -> None:
    clock, kept = Hands(), loose(ttl=60.0, stale_while_revalidate=60.0)
    cache = made(Shelf(), Told(), clock)
    await put(cache, printed(ASKED, kept=kept), kept)
    clock.at += 61.0
    assert (await cache.look(printed(REWORDED, kept=kept), kept)).hit is None


async def test_a_veto_is_counted_by_its_reason() -> None:
    cache = made(Shelf(), Told())
    await put(cache, printed("How do I reset 2 passwords?", kept=loose()), loose())
    assert (await cache.look(printed("How do I reset 3 passwords?", kept=loose()), loose())).hit is None
    assert cache.stats()["vetoes"] == {"number": 1}


async def test_an_ask_that_needs_its_context_is_never_matched() -> None:
    told = Told()
    cache = made(Shelf(), told)
    await put(cache, printed("and tomorrow?", kept=loose()), loose())
    assert (await cache.look(printed("and on Tuesday?", kept=loose()), loose())).hit is None
    assert told.asked == []


class Liar(Shelf):
    """A store that answers every question with whatever it has."""

    async def get(self, key: str, now: float) -> bytes | None:
        return next(iter(self.records.values())).data

    async def nearest(
        self, scope: str, vector: bytes, least: float, limit: int, now: float
    ) -> list[tuple[float, bytes]]:
        return [(1.0, record.data) for record in self.records.values()]


async def test_a_store_that_gives_another_tenants_entry_is_not_believed() -> None:
    liar = Liar()
    await put(made(liar, Told()), printed(ASKED, Caller("globex"), kept=loose()), loose(), Caller("globex"))
    cache = made(liar, Told())
    assert (await cache.look(printed(ASKED, kept=loose()), loose())).hit is None
    assert (await cache.look(printed(REWORDED, kept=loose()), loose())).hit is None


@pytest.mark.parametrize("junk", [b"", b"no record", b"[1]\n{}"])
async def test_a_store_that_gives_junk_is_a_miss(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    class Junk(Liar):
        async def get(self, key: str, now: float) -> bytes | None:
            return junk

    shelf = Junk()
    await put(made(shelf), printed(ASKED, kept=loose()), loose())
    assert (await made(shelf, Told()).look(printed(ASKED, kept=loose()), loose())).hit is None
    assert "passed over" in caplog.text
    assert shelf.records == {}, "it is dropped, so that the next answer takes its place"


@pytest.mark.parametrize(
    "bad", [np.full(384, np.nan, np.float32), np.zeros(384, np.float32), np.ones(3, np.float32), np.full(384, np.inf)]
)
async def test_a_bad_vector_is_a_miss_and_stored_without(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    cache = made(shelf, Told(**{ASKED: bad}))
    assert await put(cache, printed(ASKED, kept=loose()), loose())
    assert [record.vector for record in shelf.records.values()] == [None]
    assert (await cache.look(printed(REWORDED, kept=loose()), loose())).hit is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("failure", [EmbeddingError("no model"), TooLong("a book")])
async def test_without_a_vector_identical_reuse_goes_on(failure: EmbeddingError) -> None:
    shelf, told = Shelf(), Told()
    told.failure = failure
    await put(made(shelf, told), printed(ASKED, kept=loose()), loose())
    cache = made(shelf, told)
    assert (await cache.look(printed(REWORDED, kept=loose()), loose())).hit is None
    assert (await cache.look(printed(ASKED, kept=loose()), loose())).hit is not None


async def test_a_failing_store_is_a_miss() -> None:
    shelf = Shelf()
    cache = made(shelf, Told(), entries=0)
    shelf.failure = "gone"
    assert await put(cache, printed(ASKED, kept=loose()), loose())
    assert (await cache.look(printed(ASKED, kept=loose()), loose())).hit is None
    await cache.upkeep()
    assert cache.stats()["counts"]["store_errors"] == 3


async def test_an_answer_over_the_limit_is_not_kept() -> None:
    cache = made(Shelf())
    assert not await put(cache, printed(), policy(limits=PolicyLimits(answer_bytes=20)))
    assert not await put(cache, printed(), policy(limits=PolicyLimits(entries=0)))
    assert not await put(cache, printed(), policy(), max_age=0.0)
    assert cache.identical(printed(), policy()) is None


@pytest.mark.parametrize("what", [{"policy": "support"}, {"tenant": "acme"}, {"entry": printed().key}, {}])
async def test_a_purged_entry_is_gone(what: dict[str, str]) -> None:
    cache = made(Shelf())
    await put(cache, printed(), policy())
    assert await cache.purge(**what) == 1
    assert cache.identical(printed(), policy()) is None
    assert (await cache.look(printed(), policy())).hit is None


async def test_a_purge_leaves_the_others() -> None:
    cache = made(Shelf())
    await put(cache, printed(), policy())
    assert await cache.purge(tenant="globex") == 0
    assert cache.identical(printed(), policy()) is not None


async def test_a_purge_reaches_what_is_being_embedded() -> None:
    shelf = Shelf()

    class Purging(Told):
        async def __call__(self, text: str) -> Any:
            await cache.purge(policy="support")
            return await super().__call__(text)

    cache = made(shelf, Purging())
    assert not await put(cache, printed(ASKED, kept=loose()), loose())
    assert shelf.records == {}


@pytest.mark.parametrize("key", ["", "xyz", "A" * 32, "0" * 31])
async def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="32 hex digits"):
        await made(Shelf()).purge(entry=key)


async def test_a_purge_that_the_store_cannot_do_is_an_error() -> None:
    class Stuck(Shelf):
        async def purge(self, policy: str | None, tenant: str | None, key: str | None) -> int:
            raise StoreError("gone")

    with pytest.raises(StoreError):
        await made(Stuck()).purge(policy="support")


async def test_upkeep_tells_the_store_what_was_used() -> None:
    shelf = Shelf()
    cache = made(shelf)
    await put(cache, printed(), policy())
    cache.identical(printed(), policy())
    await cache.upkeep()
    assert shelf.touched == [printed().key]


async def test_counts_tell_what_happened() -> None:
    cache = made(Shelf())
    await cache.look(printed(), policy())
    await put(cache, printed(), policy())
    cache.identical(printed(), policy())
    stats = cache.stats()
    assert stats["counts"] == {"miss": 1, "put": 1, "identical": 1}
    assert stats["memory"]["entries"] == 1
    assert ACME.tenant not in str(stats)
