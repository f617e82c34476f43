"""What a new document must not say: then the model is asked."""

import pytest

from doubles.paperwork import invoice
from sluice_sidecar.cache.reuse.template import Refusal, Wrapper, induce


@pytest.fixture(scope="module")
def wrapper() -> Wrapper:
    learned = induce([invoice(0), invoice(1), invoice(2)])
    assert learned is not None
    return learned


def refusal(wrapper: Wrapper, document: str) -> Refusal:
    found = wrapper.apply(document)
    assert isinstance(found, Refusal), found
    return found


def test_a_label_that_no_sibling_has(wrapper: Wrapper) -> None:
    assert refusal(wrapper, invoice(3, extra=["Credit note: CN-7"]).document).kind == "novel"


def test_a_field_without_a_colon_that_no_sibling_has(wrapper: Wrapper) -> None:
    document = invoice(3).document.replace("Total EUR", "Discount                     -5.00\nTotal EUR")
    assert refusal(wrapper, document).kind == "novel"


def test_a_column_that_no_sibling_has(wrapper: Wrapper) -> None:
    document = invoice(3).document.replace("Unit price     Amount", "Unit price     Amount    Discount")
    assert refusal(wrapper, document).kind == "table"


def test_a_line_among_the_rows_that_is_none(wrapper: Wrapper) -> None:
    document = invoice(3).document.replace("Glue", "Delivered in May\nGlue")
    assert refusal(wrapper, document).kind == "table"


def test_sums_that_always_held_and_now_do_not(wrapper: Wrapper) -> None:
    assert refusal(wrapper, invoice(3).document.replace("29.80", "29.90")).kind == "sum"


def test_a_value_that_has_another_pattern(wrapper: Wrapper) -> None:
    assert refusal(wrapper, invoice(3).document.replace("INV-1111", "1111/A/7")).kind == "form"


def test_a_required_label_that_is_gone(wrapper: Wrapper) -> None:
    assert refusal(wrapper, invoice(3).document.replace("Invoice No:", "")).kind == "lost"


def test_a_constant_that_is_misread(wrapper: Wrapper) -> None:
    assert isinstance(wrapper.apply(invoice(3).document.replace("ACME Tools GmbH", "ACMF Tools GmbH")), Refusal)


@pytest.mark.parametrize("text", ["", " \n\n", "123 456\n" * 50, "😀 مرحبا\nשלום: 12", "x" * 100_000, "not an invoice"])
def test_another_kind_of_text(wrapper: Wrapper, text: str) -> None:
    refusal(wrapper, text)
