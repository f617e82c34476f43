"""The test keeps its error whenever one looks, and needs no more samples than its own sum says."""

import numpy as np
import pytest

from sluice_sidecar.audit.noninferiority import SequentialTest, interval, needed


@pytest.mark.parametrize(("margin", "alpha"), [(0.02, 0.05), (0.05, 0.05), (0.01, 0.01)])
def test_clean_samples_are_enough_at_the_count_that_is_asked_for(margin: float, alpha: float) -> None:
    test, count = SequentialTest(margin, alpha), needed(margin, alpha)
    shown = []
    for left in reversed(range(count)):
        assert not test.hopeless(left + 1)
        test.feed(0.0)
        shown.append(test.shown)
    assert shown == [*[False] * (count - 1), True]
    assert test.p_value <= alpha


def test_a_loss_at_the_margin_is_shown_to_be_less_in_few_of_many_streams() -> None:
    """Looked at after every sample, which a plain test of the mean would not survive."""
    random, wrong, streams = np.random.default_rng(7), 0, 1_000
    for _ in range(streams):
        test = SequentialTest(0.02, 0.05)
        for loss in random.random(400) < 0.02:
            test.feed(float(loss))
        wrong += test.shown
    assert wrong <= 0.05 * streams + 3 * (0.05 * 0.95 * streams) ** 0.5


def test_too_many_losses_are_hopeless() -> None:
    test = SequentialTest(0.02, 0.05)
    for _ in range(5):
        test.feed(1.0)
    assert test.hopeless(100)
    assert not test.hopeless(100_000)


def test_an_interval_holds_the_mean_and_narrows() -> None:
    assert interval([], 0.95) == (-1.0, 1.0)
    low, high = interval([0.0] * 190 + [1.0] * 10, 0.95)
    assert low < 0.05 < high < 0.2
    assert interval([0.0] * 50, 0.95)[1] > interval([0.0] * 500, 0.95)[1] > 0.0
