"""Attacks on a cache that compares meanings: collisions of embeddings."""

from collections.abc import AsyncIterator

import pytest

from doubles.asks import collisions
from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.embed import MiniLM
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase
from sluice_sidecar.cache.reuse.record import Record
from sluice_sidecar.cache.reuse.strategy import Neighbour
from sluice_sidecar.cache.reuse.veto import RULES, SOFT, disagreements

NEAR = 0.949
"""The cosine at which the collisions were made, less what another processor's rounding may take."""


@pytest.fixture
async def model() -> AsyncIterator[MiniLM]:
    one = MiniLM()
    yield one
    one.close()


def stored(text: str, group: str) -> Entry:
    return Entry("", "", "", "", "", text, b"", Usage(), 0.0, 0.0, 0.0, 0.0, group)


async def test_the_collisions_are_nearer_than_any_usual_threshold(model: MiniLM) -> None:
    assert len(collisions()) >= 30
    for victim, crafted in collisions():
        assert float(await model(victim) @ await model(crafted)) >= NEAR, crafted


def test_no_answer_to_a_collision_is_given_to_its_victim() -> None:
    hard = {name for name, _ in RULES} - set(SOFT)
    assert [pair for pair in collisions() if hard.isdisjoint(disagreements(*pair))] == []


@pytest.mark.parametrize("victim", sorted({victim for victim, _ in collisions()}))
def test_collisions_with_one_answer_do_not_outvote_the_guards(victim: str) -> None:
    """All of a victim's collisions, filled by one attacker with one answer, and an honest neighbour farther off."""
    attack = [Neighbour(stored(text, "attacker's"), 0.96) for of, text in collisions() if of == victim]
    honest = Neighbour(stored(victim.removesuffix("?"), "honest"), 0.9)
    proposal = Paraphrase().propose(victim, [*attack, honest], Record())
    assert proposal is not None
    assert proposal.refused or proposal.entry.group == "honest"
