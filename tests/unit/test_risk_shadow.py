"""How many hits are asked again."""

import numpy as np
import pytest

from doubles.risky import label, opened, served
from sluice_sidecar.cache.risk import Controller, RiskBound
from sluice_sidecar.cache.risk.shadow import BURST, FIRST, SLACK


def _serve(controller: Controller, requests: int, share: float, wrong: float = 0.0, seed: int = 1) -> int:
    """Plays requests of which a share hits; how many were asked again."""
    rng, asked = np.random.default_rng(seed), 0
    for _ in range(requests):
        controller.request()
        if rng.random() < share and controller.admit(0.999, "acme").admitted:
            chance = controller.shadow_probability
            if controller.wants_shadow("acme", rng.random()):
                asked += 1
                controller.learn(served(bool(rng.random() < wrong), probability=chance))
    return asked


def test_the_first_hits_are_all_asked_again() -> None:
    assert _serve(opened(), FIRST, 1.0) == FIRST


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_then_it_stays_within_its_share_of_all_requests(share: float) -> None:
    controller = opened()
    _serve(controller, 12_000, share)
    report = controller.report()
    assert FIRST < report.shadowed <= FIRST + 0.015 * report.requests + SLACK


def test_with_doubts_it_at_most_doubles() -> None:
    controller = opened(labels=3000)
    _serve(controller, 20_000, 0.8, wrong=0.006)
    report = controller.report()
    openings = 1 + report.closures
    assert report.shadowed <= FIRST * openings + 2 * 0.015 * report.requests + SLACK + BURST


def test_no_share_asks_nothing() -> None:
    assert _serve(opened(RiskBound(0.015, shadow=0.0)), 2000, 1.0) == 0


def test_a_change_near_the_threshold_asks_for_more_labels() -> None:
    controller = Controller(RiskBound(0.015))
    for i in range(2000):
        controller.learn(label())
        controller.learn(label(i % 5 == 0, score=0.99))
    _serve(controller, 6000, 1.0)
    assert controller.shadow_probability < 0.1
    for _ in range(60):
        controller.learn(label(True, score=0.99))
    assert controller.report().suspected
    assert controller.shadow_probability == 1.0
