"""The reference's time is learned from its calls, and says how sure it is."""

import random

import pytest

from sluice_sidecar.ledger.counterfactual import Fit


def fitted(calls: int, *, noise: float = 0.0, seed: int = 7) -> Fit:
    """A fit over calls that take 0.2 s + 0.1 ms a prompt token + 10 ms an answer token."""
    dice, fit = random.Random(seed), Fit()
    for _ in range(calls):
        prompt, completion = dice.randint(10, 4000), dice.randint(5, 400)
        fit.observe(prompt, completion, 0.2 + 0.0001 * prompt + 0.01 * completion + dice.gauss(0, noise))
    return fit


def test_nothing_is_known_before_the_first_call() -> None:
    assert Fit().predict(100, 10) is None


def test_one_call_gives_its_own_time_and_no_spread() -> None:
    fit = fitted(0)
    fit.observe(100, 50, 0.7)
    assert fit.predict(5000, 1) == (0.7, 0.0, 0.0)
    assert fit.quantile is None


def test_exact_times_are_recovered() -> None:
    seconds, noise, doubt = fitted(40).predict(1000, 100) or (0.0, 0.0, 0.0)
    assert seconds == pytest.approx(0.2 + 0.1 + 1.0, abs=1e-6)
    assert noise == pytest.approx(0.0, abs=1e-5)
    assert doubt == pytest.approx(0.0, abs=1e-5)
    assert fitted(40).slopes == pytest.approx((0.2, 0.0001, 0.01), abs=1e-6)


def test_equal_calls_do_not_divide_by_zero() -> None:
    fit = Fit()
    for seconds in (1.0, 1.2, 1.1, 0.9, 1.0):
        fit.observe(100, 50, seconds)
    predicted = fit.predict(100_000, 5_000)
    assert predicted is not None
    assert predicted[0] == pytest.approx(1.04, abs=0.01)


def test_proportional_lengths_are_not_told_apart() -> None:
    fit = Fit()
    for length in range(10, 60):
        fit.observe(length * 10, length, 0.01 * length)
    predicted = fit.predict(400, 40)
    assert predicted is not None
    assert predicted[0] == pytest.approx(0.4, abs=1e-6)


def test_more_tokens_never_make_a_call_faster() -> None:
    fit = Fit()
    for length in range(10, 60):
        fit.observe(100, length, 1.0 - 0.01 * length)
    low, high = fit.predict(100, 1), fit.predict(100, 100)
    assert low is not None
    assert high is not None
    assert high[0] >= low[0] > 0


def test_old_calls_are_forgotten() -> None:
    fit = Fit()
    for _ in range(100):
        fit.observe(100, 50, 9.0)
    for _ in range(4000):
        fit.observe(100, 50, 1.0)
    predicted = fit.predict(100, 50)
    assert predicted is not None
    assert predicted[0] == pytest.approx(1.0, abs=0.01)


def test_the_interval_covers_nine_of_ten() -> None:
    fit, dice, inside = fitted(300, noise=0.2), random.Random(11), 0
    t = fit.quantile
    assert t is not None
    for _ in range(2000):
        prompt, completion = dice.randint(10, 4000), dice.randint(5, 400)
        actual = 0.2 + 0.0001 * prompt + 0.01 * completion + dice.gauss(0, 0.2)
        seconds, noise, doubt = fit.predict(prompt, completion) or (0.0, 0.0, 0.0)
        inside += abs(actual - seconds) <= t * (noise**2 + doubt**2) ** 0.5
    assert 0.87 <= inside / 2000 <= 0.93


def test_a_fit_survives_its_state() -> None:
    fit = fitted(50, noise=0.1)
    assert Fit.restored(fit.state()).predict(500, 50) == fit.predict(500, 50)


@pytest.mark.parametrize("state", [[], [1.0] * 9, [float("nan")] * 10, [-1.0] + [0.0] * 9])
def test_a_broken_state_is_refused(state: list[float]) -> None:
    with pytest.raises(ValueError, match="ten finite numbers"):
        Fit.restored(state)
