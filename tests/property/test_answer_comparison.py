"""Whatever two answers are: each says the same as itself, order of asking does not matter, nor does JSON's of keys."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same

WORDS = (
    "Yes", "no", "not", "Paris", "France", "train", "takes", "costs", "5", "$5", "1,000", "2 weeks", "by", "after",
    "first", "```", "\n", "{", "}", "[", "]", '"a":', "is", "the", "always", "never", "`x`", "on 5 May 2026", "8 pm",
)  # fmt: skip
SPEECH = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=8)
KEYS = st.text(max_size=4)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
ANSWERS = SPEECH | st.text(max_size=60) | OBJECTS.map(json.dumps)
COSINES = st.floats(-1.0, 1.0)


def told(one: str, other: str, cosine: float) -> bool | None:
    return same(gist(one), gist(other), lambda: cosine)


@given(ANSWERS, COSINES)
def test_an_answer_says_the_same_as_itself(answer: str, cosine: float) -> None:
    read = gist(answer)
    assert told(answer, answer, cosine) is (None if read.kind == "failure" else True)


@settings(max_examples=300)
@given(ANSWERS, ANSWERS, COSINES)
def test_it_does_not_matter_which_came_first(one: str, other: str, cosine: float) -> None:
    assert told(one, other, cosine) is told(other, one, cosine)


@given(ANSWERS)
def test_a_core_is_text_that_can_be_stored_and_only_for_kinds_that_have_one(answer: str) -> None:
    read = gist(answer)
    assert (read.core is None) == (read.kind in {"prose", "failure"})
    (read.core or "").encode()
    read.text.encode()


@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(value: dict[str, Any], chance: random.Random) -> None:
    one, other = gist(json.dumps(value)), gist(json.dumps(_shuffled(value, chance), indent=2))
    if one.kind == "json":
        assert one.core == other.core
        assert same(one, other) is True


@given(OBJECTS, st.text(max_size=4), st.integers(-999, 999), st.integers(1, 999))
def test_a_figure_in_one_field_makes_another_answer(value: dict[str, Any], key: str, figure: int, more: int) -> None:
    one, other = ({**value, key: number} for number in (figure, figure + more))
    assert same(gist(json.dumps(one)), gist(json.dumps(other))) is not True


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(inner, chance) for inner in value] if isinstance(value, list) else value
