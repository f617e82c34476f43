"""A cache that learns to reuse labels by meaning, ask by ask."""

from random import Random
from typing import Any

from doubles.cached import ACME, Hands, policy, printed, put
from doubles.classes import Classes, said
from doubles.shelf import Shelf
from sluice_sidecar.ask import Caller
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.look import Look
from sluice_sidecar.config import Policy


def sorting(**changes: Any) -> Policy:
    """A policy that reuses labels, at most every tenth of them wrong."""
    return policy(label=True, **{"bound": 0.1, **changes})


def made(shelf: Shelf, classes: Classes, clock: Hands, replica: str = "one") -> Cache:
    """A cache under hands, whose chances are the same each time."""
    return Cache(shelf, classes, clock=clock, monotonic=clock, replica=replica, chance=Random(0).random)


async def asked(
    cache: Cache, classes: Classes, kept: Policy, caller: Caller = ACME, request: str = ""
) -> tuple[Look, str]:
    """One ask; a miss and a shadowed hit are answered by the model and kept. A hit is remembered under `request`."""
    text, answer = classes.ask()
    fp = printed(text, caller, kept)
    look = await cache.look(fp, kept)
    if look.hit is not None and request:
        cache.served(request, caller.tenant, fp, kept, look)
    if look.hit is None or look.shadow:
        await put(cache, fp, kept, caller, whole=said(answer), look=look)
    return look, answer


async def served(
    cache: Cache, classes: Classes, kept: Policy, times: int, caller: Caller = ACME, request: str = ""
) -> tuple[int, int]:
    """How many of so many asks were answered from the cache, and how many of these wrongly.

    Hits are remembered under `request` and a number.
    """
    hits = wrong = 0
    for count in range(times):
        if count % 10 == 1:
            await cache.upkeep()
        look, answer = await asked(cache, classes, kept, caller, request and f"{request}{count}")
        if look.hit is not None:
            hits += 1
            wrong += look.hit.entry.whole["choices"][0]["message"]["content"] != answer
    return hits, wrong
