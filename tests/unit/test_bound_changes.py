"""Another bound while serving: evidence stays, the new promise holds at once, and what passed is tested anew."""

from doubles.cached import Hands
from doubles.classes import Classes
from doubles.learning import asked, made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.risk import Controller, Label, Report, RiskBound, Source


def told(cache: Cache) -> Report:
    return cache.learner.report()["support"]["label"]


def taught(bound: RiskBound, right: int, score: float = 0.99) -> Controller:
    """A controller with so many right labels of a score and none that is wrong."""
    controller = Controller(bound)
    for number in range(right):
        controller.learn(Label((), score, False, str(number), Source.MISS, served=False))
    return controller


async def test_a_stricter_bound_closes_what_it_does_not_prove_and_opens_on_the_same_evidence() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, sorting(), 150)
    labels = told(cache).labels
    assert told(cache).open
    strict = sorting(bound=0.01)
    assert (await asked(cache, classes, strict))[0].hit is None
    assert not told(cache).open
    assert told(cache).labels >= labels
    await asked(cache, classes, sorting())
    assert told(cache).open, "no evidence was lost"


async def test_a_label_under_the_old_bound_leaves_the_new_one() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, sorting(), 150)
    await served(cache, classes, sorting(), 10, request="r")
    hit = cache.recent(1)[0]
    await asked(cache, classes, sorting(bound=0.01))
    assert await cache.feedback(hit.request, "acme")
    assert cache.learner.standing()["support", "label"].promised == 0.01
    assert not told(cache).open


async def test_another_budget_takes_effect() -> None:
    classes = Classes()
    cache = made(Shelf(), classes, Hands())
    await served(cache, classes, sorting(shadow=0.0), 150)
    assert not (await asked(cache, classes, sorting(shadow=0.0)))[0].shadow
    assert told(cache).shadow_probability == 0.0
    await asked(cache, classes, sorting(shadow=0.5))
    assert told(cache).shadow_probability > 0.0


def test_what_passed_under_a_looser_bound_has_not_passed() -> None:
    loose, strict = RiskBound(0.1), RiskBound(0.02)
    old = taught(loose, 90)
    assert old.decision.passed
    old.promise(strict)
    assert old.decision.passed == taught(strict, 90).decision.passed == 0


def test_nor_after_a_restart_or_in_another_replica() -> None:
    snapshot = taught(RiskBound(0.1), 90).snapshot("old")
    restarted, other = Controller(RiskBound(0.02)), Controller(RiskBound(0.02))
    assert restarted.restore("old", snapshot)
    other.merge({"old": snapshot})
    assert (restarted.decision.passed, other.decision.passed) == (0, 0)


def test_what_passed_under_a_stricter_bound_has_passed() -> None:
    strict = taught(RiskBound(0.02), 600)
    passed = strict.decision.passed
    assert passed
    strict.promise(RiskBound(0.1))
    assert strict.decision.passed & passed == passed
    assert strict.decision.at is not None
