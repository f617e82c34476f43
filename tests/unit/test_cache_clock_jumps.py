"""Clocks that jump end lives early at worst; evidence of closures outlives them."""

import pytest

from doubles.cached import Hands, Told, policy, printed, put
from doubles.classes import Classes
from doubles.learning import made, served, sorting
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.config import Paraphrase

WEATHER = "What is the weather in Oslo like?"
KEPT = policy(paraphrase=Paraphrase(similarity=0.9), timely=60.0)


def cache(shelf: Shelf, wall: Hands, steady: Hands) -> Cache:
    return Cache(shelf, Told(), clock=wall, monotonic=steady)


async def test_a_clock_set_back_lengthens_no_life() -> None:
    shelf, wall, steady = Shelf(), Hands(), Hands(0.0)
    one = cache(shelf, wall, steady)
    await put(one, printed(WEATHER, kept=KEPT), KEPT)
    wall.at -= 86_400.0
    steady.at += 61.0
    assert one.identical(printed(WEATHER, kept=KEPT), KEPT) is None
    assert (await one.look(printed("Tell me " + WEATHER, kept=KEPT), KEPT)).hit is None


async def test_after_a_restart_with_the_clock_set_back_nothing_of_the_future_is_given() -> None:
    shelf, wall = Shelf(), Hands()
    await put(cache(shelf, wall, wall), printed(WEATHER, kept=KEPT), KEPT)
    wall.at -= 3_000.0
    again = cache(shelf, wall, wall)
    assert (await again.look(printed(WEATHER, kept=KEPT), KEPT)).hit is None
    assert (await again.look(printed("Tell me " + WEATHER, kept=KEPT), KEPT)).hit is None


async def test_a_clock_set_forward_ends_lives() -> None:
    shelf, wall, steady = Shelf(), Hands(), Hands(0.0)
    one = cache(shelf, wall, steady)
    await put(one, printed("How do I fold a shirt?", kept=KEPT), KEPT)
    wall.at += 3_600.0
    assert (await one.look(printed("How do I fold a shirt?", kept=KEPT), KEPT)).hit is None


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, 400 * 86_400.0])
async def test_evidence_goes_on_through_a_jump(jump: float) -> None:
    shelf, clock, classes, kept = Shelf(), Hands(), Classes(), sorting(ttl=500 * 86_400.0)
    one = made(shelf, classes, clock)
    await served(one, classes, kept, 200)
    clock.at += 20.0
    await one.upkeep()
    clock.at += jump
    await one.upkeep()
    assert one.learner.report()["support"]["label"].open
    assert (await served(one, classes, kept, 30))[0] > 10


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, 400 * 86_400.0])
async def test_what_closed_stays_closed_through_a_jump(jump: float) -> None:
    shelf, clock, classes, kept = Shelf(), Hands(), Classes(), sorting(shadow=0.5, ttl=500 * 86_400.0)
    one = made(shelf, classes, clock)
    await served(one, classes, kept, 150)
    classes.confused = 0.8
    await served(one, classes, kept, 60)
    clock.at += 20.0
    await one.upkeep()
    assert (await served(one, classes, kept, 20))[1] <= 1
    clock.at += jump
    again = made(shelf, classes, clock)
    assert (await served(again, classes, kept, 40))[1] <= 1
    assert (await served(one, classes, kept, 40))[1] <= 1
