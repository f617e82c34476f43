"""Feedback of one tenant, true or not, costs that tenant alone: also where tenants share answers."""

from doubles.cached import ACME, Hands, Told, axis, policy, printed, put
from doubles.classes import Classes
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.ask import Caller
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.config import Paraphrase

MALLORY = Caller("mallory", ACME.headers)
SHARED = sorting(partition="None")


async def complaints(cache: Cache, tenant: str, times: int) -> int:
    """How many of the hits "m0", "m1", ... are complained about."""
    return sum([await cache.feedback(f"m{count}", tenant) for count in range(times)])


async def test_a_tenant_who_complains_of_all_closes_its_own_partition_alone() -> None:
    clock, classes = Hands(), Classes()
    cache = made(Shelf(), classes, clock)
    await served(cache, classes, SHARED, 200)
    assert (await served(cache, classes, SHARED, 80, MALLORY, "m"))[0] > 60
    assert await complaints(cache, "mallory", 80) > 60
    assert (await served(cache, classes, SHARED, 30, MALLORY))[0] == 0
    assert (await served(cache, classes, SHARED, 30))[0] > 25


async def test_complaints_take_out_no_entry_of_another_tenants() -> None:
    clock, classes, shelf = Hands(), Classes(), Shelf()
    cache = made(shelf, classes, clock)
    await served(cache, classes, SHARED, 200)
    filled = {key for key, record in shelf.records.items() if record.tenant == "acme"}
    await served(cache, classes, SHARED, 80, MALLORY, "m")
    await complaints(cache, "mallory", 80)
    assert filled <= set(shelf.records)


async def test_a_complaint_of_whose_entry_it_is_takes_it_out() -> None:
    clock, classes, shelf = Hands(), Classes(), Shelf()
    cache = made(shelf, classes, clock)
    await served(cache, classes, SHARED, 200)
    await served(cache, classes, SHARED, 10, request="a")
    (hit,) = cache.recent(1)
    assert await cache.feedback(hit.request, "acme")
    assert hit.key not in shelf.records


async def test_complaints_count_against_no_other_tenant() -> None:
    clock, classes = Hands(), Classes()
    cache = made(Shelf(), classes, clock)
    await served(cache, classes, SHARED, 200)
    before = cache.learner.report()["support"]["label"]
    await served(cache, classes, SHARED, 80, MALLORY, "m")
    await complaints(cache, "mallory", 80)
    after = cache.learner.report()["support"]["label"]
    assert after.open
    assert after.errors == before.errors == 0
    assert after.bound <= before.bound


async def test_where_nothing_bounds_the_error_a_complaint_takes_the_entry_out() -> None:
    kept, shelf = policy(paraphrase=Paraphrase(similarity=0.9)), Shelf()
    cache = Cache(shelf, Told(**{"How can I fold a shirt?": axis(0.95)}))
    await put(cache, printed("How do I fold a shirt?", kept=kept), kept)
    fp = printed("How can I fold a shirt?", kept=kept)
    cache.served("r", "acme", fp, kept, await cache.look(fp, kept))
    assert await cache.feedback("r", "acme")
    assert shelf.records == {}
