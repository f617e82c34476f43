"""Which differences between texts are none."""

import time

import pytest

from sluice_sidecar.cache.normalise import normalised, pruned, without


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there \n\n", "Hello there"),
        ("  Hello there", "Hello there"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n\n  \n    return x\n", "return x"),
        ("\n\n  \n    if x:\n        y()\n", "    if x:\n        y()"),
        ("\n\n  first\n  second", "  first\n  second"),
        ("cafe\u0301", "caf\u00e9"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_what_goes(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if x:\n    y()", "if x:\ny()"),
        ("count the spaces in a  b", "count the spaces in a b"),
        ("Who is US?", "Who is us?"),
        ("a\n\nb", "a\nb"),
        ("1\t2", "1 2"),
        ("Really?", "Really"),
        ("½", "1/2"),
        ("ﬁ", "fi"),
    ],
)
def test_what_stays(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_patterns_apply_to_every_string_and_no_key() -> None:
    value = {"id=1": ["id=2 a", {"b": "id=3"}, 4, None]}
    assert pruned(value, [r"id=\d ?"]) == {"id=1": ["a", {"b": ""}, 4, None]}


def test_a_pattern_that_never_ends_is_given_up() -> None:
    began = time.perf_counter()
    text = "a" * 40 + "!"
    assert without(text, [r"(a|aa|a+)+$"]) == text
    assert time.perf_counter() - began < 5.0
