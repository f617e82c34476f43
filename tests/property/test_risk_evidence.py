"""Evidence adds up however it is divided, and no caller's word opens anything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.risky import BOUND, label
from sluice_sidecar.cache.risk import Controller, Source
from sluice_sidecar.cache.risk.evidence import THRESHOLDS, bin_of
from sluice_sidecar.cache.risk.replica import Part

labels = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.floats(0.0, 1.0), st.sampled_from(["acme", "bolt", "corp"])),
    max_size=60,
)


@settings(max_examples=30)
@given(labels)
def test_three_replicas_together_know_what_one_would(drawn: list[tuple[int, bool, float, str]]) -> None:
    alone, replicas = Controller(BOUND), [Controller(BOUND) for _ in range(3)]
    for who, wrong, score, partition in drawn:
        for controller in (alone, replicas[who]):
            controller.learn(label(wrong, score=score, partition=partition))
    written = {str(i): replica.snapshot(str(i)) for i, replica in enumerate(replicas)}
    for replica in replicas:
        replica.merge(written)
        one, all_of_them = alone.report(), replica.report()
        assert (one.open, one.labels, one.errors) == (all_of_them.open, all_of_them.labels, all_of_them.errors)
        assert list(one.bounds) == list(all_of_them.bounds)
        assert one.partitions == all_of_them.partitions


@settings(max_examples=30)
@given(labels, labels)
def test_feedback_never_lowers_a_bound(
    evidence: list[tuple[int, bool, float, str]], feedback: list[tuple[int, bool, float, str]]
) -> None:
    controller = Controller(BOUND)
    for _, wrong, score, partition in evidence:
        controller.learn(label(wrong, score=score, partition=partition))
    before = controller.report()
    for _, wrong, score, partition in feedback:
        controller.learn(label(wrong, score=score, partition=partition, source=Source.FEEDBACK))
    after = controller.report()
    assert list(after.bounds) == list(before.bounds)
    assert (after.open, after.labels, after.errors) == (before.open, before.labels, before.errors)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_evidence_or_as_none(data: bytes) -> None:
    assert Part.from_bytes(data) is None
    assert Part.from_bytes(Part().to_bytes("a") + data[:1]) is None or not data


@given(st.floats(0.0, 1.0))
def test_a_score_lies_in_the_bin_of_the_highest_threshold_that_it_reaches(score: float) -> None:
    at = bin_of(score)
    assert at == -1 or THRESHOLDS[at] <= score
    assert at == len(THRESHOLDS) - 1 or score < THRESHOLDS[at + 1]
