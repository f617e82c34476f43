"""Long texts are embedded whole, in overlapping windows, or not at all."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.cache.embedders.embedder import EmbeddingError, TooLong
from sluice_sidecar.cache.embedders.onnx_model import ROOM, batches
from sluice_sidecar.cache.embedders.windows import MOST, OVERLAP, joined, windows


def most(size: int) -> int:
    return size + (MOST - 1) * (size - size // OVERLAP)


@given(st.integers(8, 64), st.data())
def test_windows_cover_every_token_and_overlap(size: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, most(size)))
    found = windows(range(length), size)
    assert {token for window in found for token in window} == set(range(length))
    assert all(len(window) == min(size, length) for window in found)
    assert len(found) <= MOST
    for one, after in pairwise(found):
        assert len(set(one) & set(after)) >= size // OVERLAP


@given(st.integers(8, 64), st.integers(1, 1000))
def test_one_token_too_many_is_refused(size: int, more: int) -> None:
    with pytest.raises(TooLong, match=f"at most {most(size)} are embedded"):
        windows(range(most(size) + more), size)


def test_a_texts_vector_is_the_unit_mean_of_its_windows() -> None:
    one, other = np.eye(4, dtype=np.float32)[:2]
    assert np.array_equal(joined(np.stack([one])), one)
    assert joined(np.stack([one, other])) == pytest.approx([0.5**0.5, 0.5**0.5, 0.0, 0.0], abs=1e-6)
    with pytest.raises(EmbeddingError, match="no direction"):
        joined(np.stack([one, -one]))


@given(st.lists(st.integers(1, 256), max_size=60))
def test_runs_hold_every_row_once_and_little_padding(lengths: list[int]) -> None:
    found = list(batches(lengths))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    for batch in found:
        rows = [lengths[index] for index in batch]
        assert len(rows) * max(rows) <= ROOM
        assert max(rows) <= 2 * max(min(rows), 8)
