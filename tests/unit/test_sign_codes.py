"""Codes: what they find is what lies nearest, of what is there and lives."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.sign_codes import CANDIDATES, FEW, SignCodes

Floats = npt.NDArray[np.float32]

NOW = 100.0


def unit(count: int, seed: int) -> Floats:
    """Directions at random, which is the hardest case: nothing is near."""
    rows = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    scaled: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def around(centre: Floats, count: int, seed: int, noise: float = 0.05) -> Floats:
    """Vectors about a direction."""
    rows = centre + noise * np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    scaled: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def names(count: int, start: int = 0) -> list[str]:
    return [f"{number:032x}" for number in range(start, start + count)]


def filled(vectors: Floats, end: float = NOW + 1) -> SignCodes:
    codes = SignCodes()
    codes.add(names(len(vectors)), [end] * len(vectors), vectors)
    return codes


def test_below_the_number_of_candidates_the_search_is_complete() -> None:
    vectors = unit(CANDIDATES, 1)
    found = filled(vectors).nearest(vectors[7], CANDIDATES, NOW)
    assert sorted(found) == names(CANDIDATES)
    assert found[0] == names(1, 7)[0]


def test_near_ones_are_found_among_many() -> None:
    vectors = unit(20_000, 2)
    near = around(vectors[0], 30, 3)
    codes = filled(np.concatenate([vectors, near]))
    found = codes.nearest(vectors[0], 24, NOW)
    true = np.argsort(-(np.concatenate([vectors, near]) @ vectors[0]))[:10]
    assert {f"{place:032x}" for place in true} <= set(found)


def test_the_order_is_that_of_the_cosines_to_a_hundredth() -> None:
    vectors = around(unit(1, 4)[0], 3_000, 5)
    found = filled(vectors).nearest(vectors[0], 100, NOW)
    cosines = [float(vectors[int(key, 16)] @ vectors[0]) for key in found]
    assert all(one > other - 0.01 for one, other in pairwise(cosines))


def test_what_ended_is_not_found() -> None:
    vectors = unit(10, 6)
    codes = SignCodes()
    codes.add(names(10), [NOW + number - 5 for number in range(10)], vectors)
    assert sorted(codes.nearest(vectors[0], 10, NOW)) == names(4, 6)


def test_what_is_removed_is_not_found() -> None:
    vectors = unit(10, 7)
    codes = filled(vectors)
    codes.remove(names(1, 3)[0])
    codes.remove("ff")
    assert names(1, 3)[0] not in codes.nearest(vectors[3], 10, NOW)
    assert len(codes) == 9


def test_a_key_takes_its_predecessors_place() -> None:
    vectors = unit(2, 8)
    codes = filled(vectors[:1])
    codes.add(names(1), [NOW + 1], vectors[1:])
    assert len(codes) == 1
    assert codes.nearest(vectors[1], 5, NOW) == names(1)


def test_it_compacts_and_finds_the_same() -> None:
    vectors = unit(3 * FEW, 9)
    codes = filled(vectors)
    for key in names(2 * FEW):
        codes.remove(key)
    codes.add(names(1, 9 * FEW), [NOW + 1], vectors[:1])
    left = codes.nearest(vectors[-1], CANDIDATES, NOW)
    assert left[0] == names(1, 3 * FEW - 1)[0]
    assert all(int(key, 16) >= 2 * FEW for key in left)
    assert len(codes) == FEW + 1


def test_of_equal_ones_the_newest_are_candidates() -> None:
    vectors = np.repeat(unit(1, 10), 2 * CANDIDATES, axis=0)
    found = filled(vectors).nearest(vectors[0], 2 * CANDIDATES, NOW)
    assert sorted(found) == names(CANDIDATES, CANDIDATES)


@pytest.mark.parametrize("axes", [(0,), (0, 1)])
def test_vectors_with_few_numbers_are_told_apart(axes: tuple[int, ...]) -> None:
    vectors = np.zeros((WIDTH, WIDTH), np.float32)
    vectors[np.arange(WIDTH), np.arange(WIDTH)] = 1.0
    sought = np.zeros(WIDTH, np.float32)
    sought[list(axes)] = 1.0 / np.sqrt(len(axes))
    assert set(filled(vectors).nearest(sought, len(axes), NOW)) == {f"{axis:032x}" for axis in axes}


def test_nothing_is_found_in_nothing() -> None:
    assert SignCodes().nearest(unit(1, 11)[0], 5, NOW) == []


def test_a_vector_of_zeros_harms_nothing() -> None:
    codes = filled(np.zeros((3, WIDTH), np.float32))
    assert len(codes.nearest(unit(1, 12)[0], 5, NOW)) == 3
