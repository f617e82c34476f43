"""Values that stand nowhere in the text are given only where what decides them is there."""

from typing import Any

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce
from sluice_sidecar.cache.reuse.template.derived import switch
from sluice_sidecar.cache.reuse.template.document import Document
from sluice_sidecar.cache.reuse.template.span import Reading

GOODS = ("tea", "coffee beans", "steel bolts", "green lamps", "cotton", "paper rolls", "fish", "tiles", "rice", "soap")


def waybill(place: int, terms: str, **more: Any) -> Pair:
    """A bill whose freight terms decide `prepaid`."""
    text = (
        f"BILL OF LADING\nDocument No: BL-{4000 + 37 * place}\nGoods: {GOODS[place]}\n"
        f"Freight: {terms}\nWeight: {place * 13 + 5}.50 KGS\nSigned for the carrier\n"
    )
    return Pair(text, {"number": f"BL-{4000 + 37 * place}", "weight": place * 13 + 5.5, **more})


def test_words_decide_a_flag() -> None:
    said = ("PREPAID", "COLLECT", "PREPAID", "COLLECT", "PREPAID", "COLLECT")
    pairs = [waybill(place, terms, prepaid=terms == "PREPAID") for place, terms in enumerate(said)]
    wrapper = induce(pairs)
    assert wrapper is not None
    for terms in ("PREPAID", "COLLECT"):
        found = wrapper.apply(waybill(7, terms).document)
        assert isinstance(found, Extraction), found
        assert found.answer["prepaid"] is (terms == "PREPAID")


def test_a_word_that_decided_nothing_before_is_refused() -> None:
    said = ("PREPAID", "COLLECT", "PREPAID", "COLLECT", "PREPAID", "COLLECT")
    wrapper = induce([waybill(place, terms, prepaid=terms == "PREPAID") for place, terms in enumerate(said)])
    assert wrapper is not None
    assert isinstance(wrapper.apply(waybill(7, "AS ARRANGED").document), Refusal)


def test_a_flag_that_was_always_true_is_not_given_when_words_change() -> None:
    wrapper = induce([waybill(place, "PREPAID", prepaid=True) for place in range(6)])
    assert wrapper is not None
    kept = wrapper.apply(waybill(7, "PREPAID").document)
    assert isinstance(kept, Extraction), kept
    assert kept.answer["prepaid"] is True
    assert isinstance(wrapper.apply(waybill(7, "COLLECT").document), Refusal)


def test_the_kind_of_document_is_a_constant() -> None:
    wrapper = induce([waybill(place, "PREPAID", kind="sea freight") for place in range(4)])
    assert wrapper is not None
    found = wrapper.apply(waybill(8, "PREPAID").document)
    assert isinstance(found, Extraction), found
    assert found.answer["kind"] == "sea freight"


def test_a_number_that_stands_nowhere_is_no_constant() -> None:
    assert induce([waybill(place, "PREPAID", confidence=0.37) for place in range(6)]) is None


def test_a_value_that_no_word_marks_is_refused_where_the_only_sibling_of_the_other_had_its_word() -> None:
    """The deciding words stand where each document says something else, and are no marks therefore."""

    def noted(terms: str, goods: str, *more: str) -> Document:
        return Document("\n".join(["Note", terms, "Note", goods, "", *more]))

    siblings = [noted("PREPAID", "COTTON"), noted("COLLECT", "FISH", "via Hamburg"), noted("PREPAID", "LAMPS")]
    decided = switch([True, False, True], siblings)
    assert decided is not None
    kept = decided.read(noted("PREPAID", "TEA"))
    assert isinstance(kept, Reading)
    assert kept.value is True
    assert decided.read(noted("COLLECT", "TEA")) == "unclear"
    assert decided.read(noted("AS AGREED", "TEA")) == "unclear"


def test_a_flag_that_four_siblings_have_false_is_refused_when_something_new_is_said() -> None:
    wrapper = induce([waybill(place, "PREPAID", dangerous=False) for place in range(4)])
    assert wrapper is not None
    document = waybill(7, "PREPAID").document
    assert isinstance(wrapper.apply(document), Extraction)
    assert isinstance(wrapper.apply(f"{document}\nDangerous goods: class 3"), Refusal)
