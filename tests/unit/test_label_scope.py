"""What tells an ask that belongs to no class from one that does: how many of the class lie near, what lies beside."""

import pytest

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.entry import LABELS, Entry
from sluice_sidecar.cache.reuse.label import WITNESSES, Label
from sluice_sidecar.cache.reuse.priors import PRIORS
from sluice_sidecar.cache.reuse.strategy import Neighbour
from sluice_sidecar.cache.risk import Controller, RiskBound


def _near(group: str, *cosines: float) -> list[Neighbour]:
    entry = Entry("", "", "", "", "", f"an ask of {group}", b"", Usage(), 0.0, 0.0, 0.0, 0.0, LABELS + group)
    return [Neighbour(entry, cosine) for cosine in cosines]


def _features(*neighbours: list[Neighbour]) -> dict[str, float]:
    heard = sorted((one for some in neighbours for one in some), key=lambda one: -one.similarity)
    proposal = Label().propose("where is my card", heard, lambda _: 0.0)
    assert proposal is not None
    return dict(zip(Label.FEATURES, proposal.features, strict=True))


def _score(*neighbours: list[Neighbour]) -> float:
    return Controller(RiskBound(0.015), PRIORS["label"]).score(tuple(_features(*neighbours).values()))


def test_every_feature_has_a_prior() -> None:
    assert len(PRIORS["label"].mean) == len(Label.FEATURES) + 1


def test_several_near_members_tell_more_than_one() -> None:
    one, several = _near("card", 0.8, *[0.45] * 9), _near("card", 0.8, *[0.78] * 4, *[0.45] * 5)
    assert _features(several)["nearest"] == pytest.approx(_features(one)["nearest"])
    assert _features(several)["witnesses"] > _features(one)["witnesses"] + 0.5
    assert _score(several) > _score(one)


def test_a_class_of_few_members_has_fewer_witnesses() -> None:
    few, many = _near("card", *[0.8] * (WITNESSES - 3)), _near("card", *[0.8] * WITNESSES)
    assert _features(few)["witnesses"] < _features(many)["witnesses"]


def test_members_beyond_the_witnesses_change_nothing() -> None:
    enough = [0.8] * WITNESSES
    assert _features(_near("card", *enough))["witnesses"] == _features(_near("card", *enough, 0.5))["witnesses"]


def test_neighbours_whose_answers_are_like_no_other_speak_against() -> None:
    asks = _near("card", 0.7, 0.65, 0.6, 0.6)
    classes = _near("fee", 0.6, 0.6, 0.6)
    singular = [one for name in ("a", "b", "c") for one in _near(name, 0.6)]
    assert _features(asks, classes)["alone"] == 0.0
    assert 0.1 < _features(asks, singular)["alone"] < 1.0
    assert _score(asks, singular) < _score(asks, classes)


def test_a_single_neighbour_is_alone() -> None:
    assert _features(_near("card", 0.9))["alone"] == pytest.approx(1.0)
