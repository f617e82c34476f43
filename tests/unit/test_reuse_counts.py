"""What reuse by meaning counts: labels by source and result, hits, checks; the bound beside the promised one."""

from doubles.cached import ACME, Hands, policy, printed, put
from doubles.classes import Classes, said
from doubles.shelf import Shelf
from sluice_sidecar import reusing
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.config import Policy
from sluice_sidecar.telemetry import SEPARATOR, merge

WHOSE = SEPARATOR.join(("support", "label"))


async def asked(cache: Cache, classes: Classes, kept: Policy, times: int) -> int:
    """How many of so many asks were answered from the cache."""
    hits = 0
    for number in range(times):
        text, answer = classes.ask()
        fp = printed(text, kept=kept)
        look = await cache.look(fp, kept)
        if look.hit is not None:
            hits += 1
            cache.served(f"r{hits}", ACME.tenant, fp, kept, look)
        if look.hit is None or look.shadow:
            await put(cache, fp, kept, ACME, whole=said(answer), look=look)
        if number % 10 == 0:
            await cache.upkeep()
    return hits


async def test_everything_is_counted_by_policy_and_strategy() -> None:
    clock, kept, classes = Hands(), policy(label=True, bound=0.1, shadow=0.3), Classes()
    cache = Cache(Shelf(), classes, clock=clock, monotonic=clock, replica="one")
    assert reusing.worst_bound(cache, "support") is None
    hits = await asked(cache, classes, kept, 300)
    assert hits > 20
    found = reusing.families(cache, ["support"])
    labels = {tuple(key.split(SEPARATOR)[2:]): numbers[0] for key, numbers in found["reuse_labels"].items()}
    assert labels["miss", "right"] > 50
    assert labels["shadow", "right"] == found["reuse_checks"][WHOSE][0] > 0
    assert found["reuse_hits"] == {WHOSE: [hits]}
    is_open, bound, promised = found["reuse"][WHOSE]
    assert (is_open, promised) == (1.0, 0.1)
    assert reusing.worst_bound(cache, "support") == bound <= 0.1
    assert reusing.worst_bound(cache, "other") is None
    assert not any(reusing.families(cache, ["other"]).values()), "a policy that is gone is no label"
    both = merge([found, found])
    assert both["reuse"] == found["reuse"], "each worker judges all evidence"
    assert both["reuse_hits"] == {WHOSE: [2 * hits]}


async def test_evidence_is_shown_with_its_promise_and_its_history() -> None:
    clock, kept, classes = Hands(), policy(label=True, bound=0.1, shadow=0.0), Classes()
    cache = Cache(Shelf(), classes, clock=clock, monotonic=clock, replica="one")
    await asked(cache, classes, kept, 30)
    clock.at += 61.0
    await asked(cache, classes, kept, 220)
    shown = cache.learner.shown()["support"]["label"]
    assert (shown["open"], shown["promised"]) == (True, 0.1)
    first, *_, last = shown["history"]
    assert (first["open"], first["bound"], first["at"]) == (False, 1.0, 1_000_000.0)
    assert (last["open"], last["bound"] <= 0.1, last["labels"] > 0) == (True, True, True)
