"""A line that stands once in every sibling and twice in a new document names another field."""

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce


def bill(place: int, *taxes: str) -> str:
    lines = "".join(f"VAT {tax}\n" for tax in taxes)
    return f"Bill No: {4100 + place * 13}\n{lines}Total: {place * 9 + 3}.10\nThanks\n"


def test_a_second_line_of_a_name_is_refused() -> None:
    pairs = [Pair(bill(place, f"19 % {place + 4}.25"), {"vat": place + 4.25}) for place in range(4)]
    wrapper = induce(pairs)
    assert wrapper is not None
    assert isinstance(wrapper.apply(bill(8, "19 % 7.25")), Extraction)
    assert isinstance(wrapper.apply(bill(8, "19 % 7.25", "7 % 1.10")), Refusal)
