"""The online model of P(right)."""

import math

import numpy as np
import pytest

from sluice_sidecar.cache.risk.model import Prior, ScoreModel

PRIOR = Prior((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def _taught(labels: int, prior: Prior = PRIOR, seed: int = 3) -> ScoreModel:
    rng, model = np.random.default_rng(seed), ScoreModel(prior)
    for _ in range(labels):
        x = rng.normal(size=2)
        right = rng.random() < 1.0 / (1.0 + math.exp(-(2.0 + 1.5 * x[0] - 1.0 * x[1])))
        model.learn([float(x[0]), float(x[1])], not right)
    return model


def test_it_finds_the_truth() -> None:
    model = _taught(4000)
    for x in ((0.0, 0.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0)):
        true = 1.0 / (1.0 + math.exp(-(2.0 + 1.5 * x[0] - 1.0 * x[1])))
        assert model.score(x) == pytest.approx(true, abs=0.06)


def test_its_scores_are_the_shares_that_come_true() -> None:
    rng, model = np.random.default_rng(5), ScoreModel(PRIOR)
    scores, rights = [], []
    for i in range(6000):
        x = rng.normal(size=2)
        right = rng.random() < 1.0 / (1.0 + math.exp(-(1.0 + 2.0 * x[0])))
        if i >= 1000:
            scores.append(model.score([float(x[0]), float(x[1])]))
            rights.append(right)
        model.learn([float(x[0]), float(x[1])], not right)
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        inside = [r for s, r in zip(scores, rights, strict=True) if low <= s < high]
        said = [s for s in scores if low <= s < high]
        assert np.mean(inside) == pytest.approx(np.mean(said), abs=0.05)


def test_few_labels_give_cautious_scores() -> None:
    prior = Prior((4.0, 0.0), (0.05, 1.0))
    assert ScoreModel(prior).score([0.0]) < ScoreModel(Prior((4.0, 0.0), (1e6, 1.0))).score([0.0])


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_feature_that_is_no_number_has_no_score_and_teaches_nothing(odd: float) -> None:
    model = _taught(50)
    before = model.state()
    assert math.isnan(model.score([odd, 0.0]))
    model.learn([odd, 0.0], True)
    assert model.state() == before


def test_another_number_of_features_has_no_score() -> None:
    assert math.isnan(ScoreModel(PRIOR).score([1.0]))


def test_an_odd_value_is_clipped() -> None:
    model = _taught(200)
    model.learn([1e300, -1e300], True)
    assert 0.0 < model.score([0.5, 0.5]) < 1.0


def test_a_sign_is_kept() -> None:
    rng, model = np.random.default_rng(1), ScoreModel(Prior((0.0, 0.1), (1.0, 1.0), (0, 1)))
    for _ in range(300):
        x = float(rng.normal())
        model.learn([x], x > 0.0)  # the feature says the opposite of what it may
    assert model.state()["mean"][1] == 0.0
    assert model.score([2.0]) == pytest.approx(model.score([-2.0]), abs=1e-3)


def test_a_rare_label_counts_for_more() -> None:
    often, rarely = ScoreModel(PRIOR), ScoreModel(PRIOR)
    often.learn([0.0, 0.0], True, 1.0)
    rarely.learn([0.0, 0.0], True, 0.2)
    assert rarely.score([0.0, 0.0]) < often.score([0.0, 0.0]) < 0.5


def test_it_comes_back_as_it_was() -> None:
    model, again = _taught(500), ScoreModel(PRIOR)
    assert again.restore(model.state())
    assert again.score([0.3, -0.2]) == pytest.approx(model.score([0.3, -0.2]), abs=1e-3)
    assert again.labels == 500


@pytest.mark.parametrize("state", [{}, {"n": 1, "mean": [0.0], "cov": [1.0]}, {"n": "x", "mean": 3, "cov": None}])
def test_a_state_of_another_shape_is_refused(state: dict[str, object]) -> None:
    model = ScoreModel(PRIOR)
    assert not model.restore(state)
    assert model.labels == 0


@pytest.mark.parametrize(
    ("mean", "precision", "signs"),
    [((), (), ()), ((0.0,), (1.0, 1.0), ()), ((0.0,), (0.0,), ()), ((math.nan,), (1.0,), ()), ((0.0,), (1.0,), (0, 1))],
)
def test_a_prior_that_makes_no_sense_is_refused(
    mean: tuple[float, ...], precision: tuple[float, ...], signs: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="prior"):
        Prior(mean, precision, signs)
