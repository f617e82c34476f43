"""Money as integers keeps every digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.ledger.decision import decimal, text


@pytest.mark.parametrize(
    ("pico", "shown"),
    [
        (0, "0"),
        (1, "0.000000000001"),
        (1_500_000, "0.0000015"),
        (10**12, "1"),
        (-25 * 10**10, "-0.25"),
        (10**14, "100"),
    ],
)
def test_amounts_are_plain_digits(pico: int, shown: str) -> None:
    assert text(pico) == shown


@given(st.integers(-(10**27), 10**27))
def test_text_and_decimal_are_exact(pico: int) -> None:
    assert Decimal(text(pico)) * 10**12 == pico
    assert decimal(pico) * 10**12 == pico
