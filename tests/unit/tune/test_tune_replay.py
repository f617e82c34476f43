"""Recorded asks go through the gateway's own cache."""

from collections import Counter

from doubles.replayed import ask, classes, labelled, quiet
from sluice_cli.tune.replay import CLOSED, Outcome, replay
from sluice_cli.tune.vectors import Table


async def test_under_a_bound_that_nothing_reaches_every_ask_misses_and_every_proposal_has_its_label() -> None:
    asks, table = classes(200, wrong_every=20)
    run = await replay(asks, range(200), table, labelled(bound=CLOSED), 0, quiet)
    assert {outcome.how for outcome in run.outcomes} == {None}
    verdicts = Counter(one.wrong for outcome in run.outcomes for one in outcome.proposals)
    assert verdicts[True] == 10
    assert verdicts[None] == 0
    assert sum(verdicts.values()) >= 180


async def test_evidence_opens_it_and_the_same_seed_gives_the_same_end() -> None:
    asks, table = classes(600)
    one = await replay(asks, range(600), table, labelled(), 1, quiet)
    two = await replay(asks, range(600), table, labelled(), 1, quiet)
    assert one.outcomes == two.outcomes
    assert one.needed == {"label": 0.0}
    served = [outcome for outcome in one.outcomes if outcome.how == "label"]
    assert len(served) > 200
    assert not any(outcome.wrong for outcome in served)
    assert 0 < sum(outcome.shadow for outcome in served) <= len(served)


async def test_an_equal_ask_is_an_identical_hit_and_a_different_answer_to_it_is_wrong() -> None:
    asks = [ask(1, "what is the capital of France", "Paris"), ask(2, "what is the capital of France", "Lyon")]
    run = await replay(asks, [0, 1], Table({}), labelled(), 0, quiet)
    assert [(outcome.how, outcome.wrong) for outcome in run.outcomes] == [(None, None), ("identical", True)]


async def test_tenants_do_not_share_and_answers_end_with_their_life() -> None:
    text = "what is the capital of France"
    asks = [
        ask(1, text, "Paris", at=10.0),
        ask(2, text, "Paris", tenant="b", at=20.0),
        ask(3, text, "Paris", at=9_000.0),
    ]
    run = await replay(asks, [0, 1, 2], Table({}), labelled(ttl=3600.0), 0, quiet)
    assert [outcome.how for outcome in run.outcomes] == [None, None, None]


async def test_what_plain_similarity_would_have_given_is_kept_beside_it() -> None:
    asks, table = classes(8)
    run = await replay(asks, range(8), table, labelled(bound=CLOSED), 0, quiet)
    nearest = run.outcomes[4].nearest
    assert nearest is not None
    assert (nearest[0] > 0.9, nearest[1]) == (True, False)
    assert run.outcomes[0].nearest is None


async def test_an_outcome_survives_as_plain_data() -> None:
    asks, table = classes(40)
    for outcome in (await replay(asks, range(40), table, labelled(), 0, quiet)).outcomes:
        assert Outcome.of(outcome.row()) == outcome
