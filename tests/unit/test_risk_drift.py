"""A change in the error of what is served closes it; what was seen before no longer counts."""

import pytest

from doubles.risky import label, opened, served
from sluice_sidecar.cache.risk.drift import Detector


def test_a_jump_of_the_error_closes_it_within_a_few_labels() -> None:
    controller = opened(labels=1500)
    for n in range(200):
        if controller.decision.at is None:
            break
        controller.learn(served(n % 5 == 0))
    assert n <= 40
    assert controller.admit(0.999, "acme").reason in ("drift", "evidence")


def test_old_evidence_is_void_after_it() -> None:
    controller = opened(labels=8000)
    for n in range(400):
        controller.learn(served(n % 5 == 0))
        if controller.closures:
            break
    report = controller.report()
    assert report.closures == 1
    assert report.reason == "drift"
    assert report.labels == 0
    for _ in range(250):
        controller.learn(label())
    assert not controller.admit(0.999, "acme").admitted
    for _ in range(500):
        controller.learn(label())
    assert controller.admit(0.999, "acme").admitted


def test_evidence_of_hits_from_before_a_closure_is_not_counted() -> None:
    controller = opened(labels=8000)
    for n in range(400):
        controller.learn(served(n % 5 == 0))
    before = controller.report().labels
    controller.learn(served(probability=0.05))
    assert controller.report().labels == before


def test_old_chapters_are_left_behind() -> None:
    controller = opened(labels=30_000)
    assert controller.report().chapter == 3
    assert controller.report().labels == pytest.approx(30_000 - 8192, abs=200)
    assert controller.admit(0.999, "acme").admitted


def test_an_error_well_below_the_bound_is_no_alarm() -> None:
    detector = Detector(1000.0)
    assert not any(detector.see(n % 200 == 0, 1.0, 0.015) for n in range(1, 20_000))
