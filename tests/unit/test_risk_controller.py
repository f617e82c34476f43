"""What the risk control serves, and what it makes of each label."""

import math

import pytest

from doubles.risky import BOUND, label, opened, served
from sluice_sidecar.cache.risk import Controller, Label, Prior, RiskBound, Source


def _labels_to_open(controller: Controller, most: int = 2000) -> int:
    for n in range(most):
        if controller.admit(0.999, "acme").admitted:
            return n
        controller.learn(label())
    return most


def test_it_starts_closed() -> None:
    verdict = Controller(BOUND).admit(0.9999, "acme")
    assert not verdict.admitted
    assert verdict.bound == 1.0
    assert verdict.reason == "evidence"


def test_it_opens_after_432_right_answers_at_a_bound_of_a_percent_and_a_half() -> None:
    controller = Controller(BOUND)
    assert 424 < _labels_to_open(controller) <= 432
    verdict = controller.admit(0.999, "acme")
    assert verdict.bound <= 0.015
    assert verdict.threshold <= 0.999


def test_a_tighter_bound_takes_more() -> None:
    assert _labels_to_open(Controller(RiskBound(0.005))) > 2 * _labels_to_open(Controller(BOUND))


def test_a_score_below_the_threshold_is_not_served() -> None:
    controller = opened()
    assert controller.admit(0.999, "acme").admitted
    low = controller.admit(0.99, "acme")
    assert not low.admitted
    assert low.reason == "below threshold"


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.1, 1.1])
def test_a_score_that_is_no_probability_is_never_served(score: float) -> None:
    assert opened().admit(score, "acme").reason == "score"


@pytest.mark.parametrize(
    "odd",
    [
        label(score=math.nan), label(score=2.0), label(probability=0.0), label(probability=math.nan), label(noise=0.4),
        label(noise=-0.1), label(noise=math.nan),
    ],
)  # fmt: skip
def test_a_label_whose_numbers_are_unusable_changes_nothing(odd: Label) -> None:
    controller = opened()
    before = controller.report()
    controller.learn(odd)
    assert controller.report() == before


def test_errors_at_the_threshold_close_it_at_once() -> None:
    controller = opened(labels=450)
    for _ in range(12):
        controller.learn(label(True))
    assert not controller.admit(0.999, "acme").admitted


def test_feedback_that_all_is_right_opens_nothing() -> None:
    controller = Controller(BOUND)
    for _ in range(3000):
        controller.learn(label(source=Source.FEEDBACK))
    assert not controller.admit(0.999, "acme").admitted
    assert controller.report().labels == 0


def test_complaints_close_the_caller_alone() -> None:
    controller = opened()
    before = controller.report()
    for _ in range(60):
        controller.learn(label(True, partition="sour", source=Source.FEEDBACK))
    assert controller.admit(0.999, "sour").reason == "partition"
    assert controller.admit(0.999, "acme").admitted
    after = controller.report()
    assert (after.bound, after.threshold, after.errors) == (before.bound, before.threshold, before.errors)
    assert after.partitions["sour"].closed


def test_a_worse_partition_closes_alone_and_the_rest_opens() -> None:
    controller = Controller(BOUND)
    for i in range(4000):
        partition = f"t{i % 8}"
        controller.learn(label(partition == "t0" and i % 40 == 0, partition=partition))
    assert controller.admit(0.999, "t0").reason == "partition"
    assert controller.admit(0.999, "t1").admitted
    assert controller.report().partitions["t0"].closed


def test_one_partition_cannot_carry_the_evidence_for_five() -> None:
    controller = Controller(BOUND)
    for _ in range(4000):
        controller.learn(label(partition="large"))
    assert controller.admit(0.999, "large").admitted
    for i in range(1200):  # 1 % and not certain to be worse one by one
        controller.learn(label(i % 61 == 0, partition=f"small{i % 5}"))
    report = controller.report()
    assert report.capped
    assert report.errors / report.labels < 0.005
    assert not report.open
    assert report.reason == "one partition carries the evidence"


def test_fewer_than_five_partitions_are_not_capped() -> None:
    controller = Controller(BOUND)
    for i in range(1200):
        controller.learn(label(partition="large" if i % 4 else "small"))
    assert controller.admit(0.999, "small").admitted
    assert not controller.report().capped


def test_noise_that_is_declared_is_not_held_against_it() -> None:
    silent, declared = Controller(BOUND), Controller(BOUND)
    for i in range(3000):
        silent.learn(label(i % 80 == 79))
        declared.learn(label(i % 80 == 79, noise=0.01))
    assert not silent.admit(0.999, "acme").admitted
    assert declared.admit(0.999, "acme").admitted
    assert declared.report().noise == pytest.approx(0.01)


def test_a_hit_seldom_asked_again_weighs_like_the_misses_that_it_stands_for() -> None:
    controller = opened(labels=5000)
    for i in range(20_000):  # past the first hits, so that the budget sets the chance
        controller.request()
        verdict = controller.admit(0.999, "acme")
        chance = controller.shadow_probability
        if verdict.admitted and controller.wants_shadow("acme", (i * 0.618) % 1.0):
            controller.learn(served(probability=chance))
    assert 0.0 < controller.shadow_probability < 0.05
    before = controller.report().labels
    controller.learn(label(score=0.9985))
    assert controller.report().labels - before < 0.05


def test_the_score_is_learned_from_labels_with_features() -> None:
    controller = Controller(BOUND, Prior((0.0, 0.0), (1.0, 1.0)))
    assert controller.score([1.0]) == 0.5
    for _ in range(200):
        controller.learn(Label([1.0], 0.9, False, "acme", Source.MISS, False))
        controller.learn(Label([-1.0], 0.9, True, "acme", Source.MISS, False))
    assert controller.score([1.0]) > 0.9
    assert math.isnan(controller.score([math.nan]))


def test_the_report_says_what_is_missing() -> None:
    controller = Controller(BOUND)
    for _ in range(100):
        controller.learn(label())
    report = controller.report()
    assert not report.open
    assert 250 < report.needed < 450
    assert len(report.bounds) == len(report.thresholds)
