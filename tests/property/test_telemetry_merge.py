"""Workers' numbers add up in any grouping."""

from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.telemetry import Snapshot, merge

labels = st.sampled_from(["a", "b", "c"])
# Whole numbers: their sums are exact in floats too.
numbers = st.lists(st.integers(0, 2**40).map(float), min_size=3, max_size=3)
snapshots: st.SearchStrategy[Snapshot] = st.dictionaries(
    st.sampled_from(["requests", "durations", "breakers", "workers"]), st.dictionaries(labels, numbers)
)


@given(snapshots, snapshots, snapshots)
def test_merging_is_associative(a: Snapshot, b: Snapshot, c: Snapshot) -> None:
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([a, b, c])


@given(snapshots, snapshots)
def test_merging_is_commutative(a: Snapshot, b: Snapshot) -> None:
    assert merge([a, b]) == merge([b, a])


@given(snapshots)
def test_nothing_changes_nothing(a: Snapshot) -> None:
    before = {family: {key: list(values) for key, values in series.items()} for family, series in a.items()}
    assert merge([a, {}]) == merge([{}, a]) == a == before
