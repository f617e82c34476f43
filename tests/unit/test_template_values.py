"""Numbers, dates and currencies as documents write them."""

import pytest

from sluice_sidecar.cache.reuse.template.values import dates, marks, numbers


@pytest.mark.parametrize(
    ("style", "text", "values"),
    [
        ("dot", "1,234.56 and 12 and $7.5", [1234.56, 12, 7.5]),
        ("dot", "1'234.50 CHF", [1234.5]),
        ("comma", "1.234,56 EUR, 99,10", [1234.56, 99.1]),
        ("space", "12 345,60", [12345.6]),
        ("space", "1\u202f234,5", [1234.5]),
        ("dot", "-5.00 (7.25) -$3 2.50-", [-5, -7.25, -3, -2.5]),
        ("dot", "1.234,56", []),
        ("comma", "1,234.56", []),
        ("dot", "14.5O", []),
        ("dot", "192.168.0.1", []),
    ],
)
def test_numbers(style: str, text: str, values: list[float]) -> None:
    assert [number.value for number in numbers(text, style)] == values


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-03-05", {"ymd": "2024-03-05"}),
        ("5/3/2024", {"dmy": "2024-03-05", "mdy": "2024-05-03"}),
        ("25.03.24", {"dmy": "2024-03-25", "yymd": "2025-03-24"}),
        ("March 5, 2024", {"name": "2024-03-05"}),
        ("5. März 2024", {"name": "2024-03-05"}),
        ("05-Mar-2024", {"name": "2024-03-05"}),
        ("20240305", {"ymd": "2024-03-05"}),
    ],
)
def test_dates(text: str, iso: dict[str, str]) -> None:
    assert [date.iso for date in dates(f"on {text} at noon")] == [iso]


@pytest.mark.parametrize("text", ["31.02.2024", "12 apples 2024", "1.2.3.4", "05.03.20Z5"])
def test_no_dates(text: str) -> None:
    assert dates(text) == []


def test_currencies() -> None:
    assert [mark.code for mark in marks("€5, US$ 7, C$8, 12 PLN, 3 zł, NEURON")] == ["EUR", "USD", "CAD", "PLN", "PLN"]
