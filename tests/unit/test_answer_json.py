"""JSON is compared field by field: notation aside, and what may be worded in two ways left open."""

import pytest

from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}'),
        ('{"a": "2.50"}', '{"a": 2.5}'),
        ('{"a": "1,000"}', '{"a": 1000}'),
        ('{"a": "OPEN"}', '{"a":"open"}'),
        ('{"a": "x  y 1"}', '{"a": " x y 1 "}'),
        ('{"d": "5 January 2026"}', '{"d": "2026-01-05"}'),
        ('{"d": "05.01.2026"}', '{"d": "2026-01-05"}'),
        ('{"p": "$1,200.00"}', '{"p": "1200 USD"}'),
        ('{"a": {"b": [1, {"c": "3.0"}]}}', '```json\n{"a": {"b": [1.0, {"c": 3}]}}\n```'),
        ('{"a": true}', 'Here is the JSON:\n{"a": true}\nLet me know if you need more.'),
        ('{"n": 12345678901234567890123}', '{"n": 12345678901234567890123.0}'),
    ],
)
def test_notation_does_not_count(one: str, other: str) -> None:
    assert gist(one).kind == gist(other).kind == "json"
    assert gist(one).core == gist(other).core
    assert same(gist(one), gist(other)) is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"b": 1}'),
        ('{"a": {"b": {"c": 1}}}', '{"a": {"b": {"c": 10}}}'),
        ('{"a": [1, 2]}', '{"a": [1, 2, 3]}'),
        ('{"a": true}', '{"a": false}'),
        ('{"a": "Oslo"}', '{"a": "Rome"}'),
        ('{"from": "Oslo", "to": "Rome"}', '{"from": "Rome", "to": "Oslo"}'),
        ('{"zip": "08001"}', '{"zip": "8001"}'),
        ('{"n": 12345678901234567890123}', '{"n": 12345678901234567890124}'),
        ('{"p": "$5"}', '{"p": "€5"}'),
        ('{"a": 1}', "The value is one."),
    ],
)
def test_one_field_makes_another_answer(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": null}', '{"a": 1}'),
        ('{"a": ["x", "y"]}', '{"a": ["y", "x"]}'),
        ('{"s": "The parcel came late and damaged."}', '{"s": "The package was late and it was damaged."}'),
        ('{"d": "05/06/2026"}', '{"d": "06/05/2026"}'),
    ],
)
def test_what_may_be_meant_the_same_is_left_open(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is None


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1', "[label]", "[12]", "{x}", "[" * 5000, '{"a":' * 5000])
def test_what_is_no_json_is_read_as_something_else(text: str) -> None:
    assert gist(text).kind != "json"


def test_a_core_can_be_hashed_whatever_it_holds() -> None:
    for text in ('{"a": "\\ud800"}', '{"a": "\ud800"}', "\ud800 label", "```\nx = '\ud800'\n```"):
        core = gist(text).core
        assert core is not None
        assert core.encode()


def test_a_figure_with_a_vast_exponent_is_not_written_out() -> None:
    core = gist('{"a": 1e999999}').core
    assert core is not None
    assert len(core) < 40
