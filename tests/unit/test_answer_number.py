"""Figures: units, currencies, separators of several locales, and the last figure of a calculation."""

import pytest

from sluice_sidecar.cache.answers.figures import quantity
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42.50", "The answer is 42.5"),
        ("$1,234.50", "1234.50 USD"),
        ("1.234,50 €", "€1,234.50"),
        ("15%", "15 percent"),
        ("2 weeks", "14 days"),
        ("5 km", "5000 m"),
        ("1.5 million", "1,500,000"),
        ("1'250.00 CHF", "CHF 1,250"),
        ("90 km/h", "90 kmh"),
        ("12,5 kg", "12.5 kg"),
        ("$3.2M", "3,200,000 dollars"),
        ("1 000 000", "1,000,000"),
        ("3 * 4 = 12, and 12 + 30 = 42.\nSo the total is 42.", "\\boxed{42}"),
        ("6 * 7 = 42\n#### 42", "\\boxed{42}"),
        ("−7.5", "-7.50"),
        ("-$5", "$-5"),
        ("42", "42.0"),
    ],
)
def test_one_value_in_two_notations(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$42", "€42"),
        ("42.50", "42.05"),
        ("5 km", "5 miles"),
        ("30 days", "30 hours"),
        ("7.5", "-7.5"),
        ("15%", "16%"),
        ("8 GB", "8 MB"),
        ("1,234", "1,243"),
        ("\\boxed{42}", "\\boxed{43}"),
        ("1.5 million", "1,500"),
        ("72 °F", "72 °C"),
        ("1999", "2000"),
    ],
)
def test_another_value_or_unit(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is False


@pytest.mark.parametrize(
    ("one", "other"), [("3.14", "3.14159"), ("42", "$42"), ("50%", "0.5"), ("1.234", "1234"), ("5", "5 kg")]
)
def test_roundings_and_missing_units_are_left_open(one: str, other: str) -> None:
    assert same(gist(one), gist(other)) is None


@pytest.mark.parametrize("text", ["007", "12 monkeys", "3-5 days", "v2", "1e400", "", "abc", "1" * 60])
def test_what_is_no_quantity(text: str) -> None:
    assert quantity(text) is None


def test_a_whole_number_alone_may_be_a_class() -> None:
    assert gist("4").kind == "label"
    assert gist("Rating: 4").kind == "label"
    assert gist("$4").kind == gist("4.5").kind == "number"
