from collections import Counter

from sluice_cli.demo.workload import Ask, Step, load, rates, schedule

ASKS = load()
STEPS = schedule(ASKS)


def test_there_are_sixty_distinct_asks_of_every_task() -> None:
    assert len({ask.text for ask in ASKS}) == len(ASKS) >= 60
    assert {ask.task for ask in ASKS} == {"support", "classification", "extraction", "generation"}


def test_keys_are_unique_and_near_misses_point_at_an_ask_of_the_same_task() -> None:
    by_key = {ask.key: ask for ask in ASKS}
    assert len(by_key) == len(ASKS)
    near = [ask for ask in ASKS if ask.near]
    assert len(near) >= 8
    assert all(by_key[ask.near].task == ask.task for ask in near if ask.near)


def test_every_text_is_asked_as_often_as_it_says() -> None:
    asked = Counter((step.key, step.kind) for step in STEPS)
    for ask in ASKS:
        assert asked[ask.key, "near miss" if ask.near else "first"] == 1
        assert asked[ask.key, "repeat"] == ask.repeats
        assert asked[ask.key, "paraphrase"] == len(ask.paraphrases)


def test_repeats_paraphrases_and_near_misses_come_after_what_they_resemble() -> None:
    place = {step.key: index for index, step in reversed(list(enumerate(STEPS)))}
    near = {ask.key: ask.near for ask in ASKS}
    for index, step in enumerate(STEPS):
        if step.kind in ("repeat", "paraphrase"):
            assert place[step.key] < index
        if step.kind == "near miss":
            assert place[str(near[step.key])] < index


def test_equal_seeds_give_equal_orders() -> None:
    assert schedule(ASKS, seed=3) == schedule(ASKS, seed=3) != schedule(ASKS, seed=4)


def test_rates_are_shares_of_all_requests() -> None:
    ask = Ask(key="a", task="support", text="Where?", repeats=2, paraphrases=("Whereabouts?",))
    assert rates(schedule([ask])) == {"first": 0.25, "repeat": 0.5, "paraphrase": 0.25}
    assert rates([Step("a", "support", "Where?", "first")]) == {"first": 1.0}
