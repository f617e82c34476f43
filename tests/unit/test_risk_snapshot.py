"""Evidence between replicas and across restarts."""

import pytest

from doubles.risky import BOUND, label, opened, served
from sluice_sidecar.cache.risk import Controller, Label, Prior, Source
from sluice_sidecar.cache.risk.evidence import BINS, SLOTS, Chapter, Tally
from sluice_sidecar.cache.risk.replica import Part


def test_a_restart_changes_nothing() -> None:
    controller, again = opened(), Controller(BOUND)
    data = controller.snapshot("a")
    assert again.restore("a", data)
    assert again.report() == controller.report()
    assert again.snapshot("a") == data


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_a_damaged_snapshot_is_no_evidence(cut: int) -> None:
    whole, fresh = opened().snapshot("a"), Controller(BOUND)
    for damaged in (whole[:cut], whole[:cut] + b"?" + whole[cut:][1:], b"x" + whole):
        assert not fresh.restore("a", damaged)
        fresh.merge({"b": damaged})
        assert not fresh.admit(0.999, "acme").admitted


def test_two_halves_open_what_neither_opens_alone() -> None:
    one, two = Controller(BOUND), Controller(BOUND)
    for _ in range(250):
        one.learn(label())
        two.learn(label())
    assert not one.admit(0.999, "acme").admitted
    one.merge({"two": two.snapshot("two")})
    assert one.admit(0.999, "acme").admitted


def test_a_later_snapshot_takes_the_place_of_an_earlier_one() -> None:
    one, two = Controller(BOUND), Controller(BOUND)
    for _ in range(5):
        two.learn(label())
        one.merge({"two": two.snapshot("two")})
    assert one.report().labels == 5


def test_its_own_snapshot_is_not_counted_twice() -> None:
    one = opened()
    own = one.snapshot("one")
    one.merge({"one": own})
    assert one.report().labels == 1000


def test_opposite_evidence_is_weighed_together() -> None:
    good, bad = opened(labels=500), Controller(BOUND)
    for i in range(500):
        bad.learn(label(i % 10 == 0))
    good.merge({"bad": bad.snapshot("bad")})
    bad.merge({"good": good.snapshot("good")})
    assert not good.admit(0.999, "acme").admitted
    assert not bad.admit(0.999, "acme").admitted


def test_a_closure_reaches_the_others_and_voids_what_they_counted() -> None:
    one, two = opened(labels=1500), opened(labels=1500)
    for n in range(400):
        one.learn(served(n % 5 == 0))
        if one.closures:
            break
    two.merge({"one": one.snapshot("one")})
    verdict = two.admit(0.999, "acme")
    assert not verdict.admitted
    assert verdict.reason == "drift"
    one.merge({"two": two.snapshot("two")})
    assert one.report().labels == 0


def test_a_snapshot_from_before_a_closure_opens_nothing() -> None:
    one, two = opened(labels=1500), opened(labels=1500)
    old = two.snapshot("two")
    for n in range(400):
        one.learn(served(n % 5 == 0))
        if one.closures:
            break
    one.merge({"two": old})
    assert not one.admit(0.999, "acme").admitted


def test_a_newcomer_starts_with_the_weights_of_the_others() -> None:
    prior = Prior((0.0, 0.0), (1.0, 1.0))
    one, two = Controller(BOUND, prior), Controller(BOUND, prior)
    for _ in range(100):
        one.learn(Label([1.0], 0.9, False, "acme", Source.MISS, False))
    two.merge({"one": one.snapshot("one")})
    assert two.score([1.0]) == pytest.approx(one.score([1.0]), abs=1e-3)


def _part(partitions: int) -> Part:
    tally = Tally([123_456.7] * BINS, [12_345.6] * BINS, 7)
    own = {f"a tenant with a long name, {i:04d}": tally for i in range(partitions)}
    return Part(chapter=2, chapters={n: Chapter(tally, [99.9] * BINS, dict(own)) for n in (1, 2)})


def test_the_largest_snapshot_is_eight_kilobytes_and_the_sums_are_whole() -> None:
    data = _part(SLOTS).to_bytes("replica-0")
    assert 7000 < len(data) <= 8192
    again = Part.from_bytes(data)
    assert again is not None
    assert again.chapters[1].total == Tally([123_456.7] * BINS, [12_345.6] * BINS)
    assert 4 < len(again.chapters[1].partitions) < SLOTS


def test_a_model_of_sixteen_features_fits_beside_the_evidence() -> None:
    prior = Prior((0.123456,) * 17, (1.0,) * 17)
    controller = Controller(BOUND, prior)
    scores = [0.999, 0.996, 0.992, 0.988, 0.983, 0.975, 0.965, 0.95, 0.93, 0.91, 0.88, 0.84, 0.78, 0.7, 0.6, 0.4]
    features = [[((i * 7919 + k * 104_729) % 97) / 30.0 for k in range(16)] for i in range(50)]
    for i in range(3000):
        partition = f"a tenant with a long name, {i % 40:04d}"
        controller.learn(Label(features[i % 50], scores[i % 16], i % 17 == 0, partition, Source.MISS, False))
    again = Controller(BOUND, prior)
    assert again.restore("replica-0", controller.snapshot("replica-0"))
    assert again.report() == controller.report()
    assert again.score(features[3]) == pytest.approx(controller.score(features[3]), abs=1e-3)
