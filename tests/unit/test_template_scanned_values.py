"""A value that a scanner misread is refused, also where only its letters or one label show that there is a scanner."""

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce
from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.form import form
from sluice_sidecar.cache.reuse.template.noise import noisy


def slip(place: int, *, subtotal: str = "SUBTOTAL", street: str = "Mill Lane 28, 66753 Dover") -> Pair:
    total = f"{20 + 7 * place}.{15 + place}"
    text = f"Corner Shop\n{street}\n\n{subtotal}      {place}.10\nTO PAY      {total}"
    return Pair(text, {"address": street, "total": float(total)})


def test_a_misread_label_before_an_amount_shows_a_scanner() -> None:
    texts = [slip(0), slip(1), slip(2, subtotal="5UBTOTAL"), slip(3)]
    assert noisy([Document(pair.document) for pair in texts])


def test_another_label_or_currency_before_an_amount_shows_none() -> None:
    labels = ("TOTAL EUR", "TOTAL EUR", "TOTAL USD", "SHIPPING EUR")
    assert not noisy([Document(slip(place, subtotal=label).document) for place, label in enumerate(labels)])


def test_a_figure_read_as_a_letter_is_refused_in_a_layout_without_noise() -> None:
    wrapper = induce([slip(place) for place in range(4)])
    assert wrapper is not None
    assert isinstance(wrapper.apply(slip(5).document), Extraction)
    assert isinstance(wrapper.apply(slip(5, street="Mill Lane 2B, 66753 Dover").document), Refusal)


def test_a_value_that_differs_in_more_than_such_letters_is_its_own() -> None:
    seen = form(["Mill Lane 28, 66753 Dover", "High Street 4, 11234 York"], clean=True)
    assert seen.fits("Mill Lane 31, 66753 Dover")
    assert not seen.fits("mill Lane 2B, 66753 Dover")
