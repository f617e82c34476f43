"""A layout is learned only if each pair is what the others say of it."""

from typing import Any

import pytest

from doubles.paperwork import invoice
from sluice_sidecar.cache.reuse.template import Extraction, Pair, induce


def test_two_pairs_are_too_few() -> None:
    assert induce([invoice(0), invoice(1)]) is None


def test_a_pair_that_contradicts_the_others_teaches_nothing() -> None:
    assert induce([invoice(0), invoice(1), invoice(2, number=invoice(1).answer["number"])]) is None


def test_an_answer_that_stands_nowhere_is_not_learned() -> None:
    pairs = [invoice(place, risk=["low", "high", "unknown"][place]) for place in range(3)]
    assert induce(pairs) is None


def test_a_flag_that_was_false_by_chance_is_not_learned() -> None:
    assert induce([invoice(place, paid=False) for place in range(3)]) is None


def test_a_customer_who_was_the_same_by_chance_is_no_constant() -> None:
    def of(name: str, place: int) -> Pair:
        return Pair(
            f"Note {place * 7}\nCustomer: {name}\nTotal: {place}.50\n", {"customer": name, "total": place + 0.5}
        )

    wrapper = induce([of("Foo Ltd", 1), of("Foo Ltd", 2), of("Foo Ltd", 3)])
    assert wrapper is not None
    found = wrapper.apply(of("Bar and Sons", 4).document)
    assert isinstance(found, Extraction)
    assert found.answer["customer"] == "Bar and Sons"


def test_after_a_drift_the_newer_pairs_teach() -> None:
    def drifted(place: int) -> Pair:
        pair = invoice(place)
        return Pair(pair.document.replace("Invoice No:", "Our reference:").replace("Bill to:", "Sold to:"), pair.answer)

    pairs = [invoice(place) for place in range(4)] + [drifted(place) for place in (1, 2, 0)]
    wrapper = induce(pairs)
    assert wrapper is not None
    found = wrapper.apply(drifted(3).document)
    assert isinstance(found, Extraction), found
    assert found.answer == invoice(3).answer


@pytest.mark.parametrize(
    "answer",
    ["1", None, [], {}, {"a": {}}, {"a": [[1]]}, {"a": None}, {"a": float("nan")}, {"a": 10**400}, {"a": [{"b": [1]}]}],
)
def test_answers_without_fields_are_not_learned(answer: Any) -> None:
    assert induce([Pair(f"Total: {place}\nNo: {place}1", answer) for place in (1, 2, 3)]) is None


def test_a_count_that_a_cell_equals_by_chance_is_not_read_there() -> None:
    pairs = [invoice(0), invoice(1), invoice(2)]
    for pair in pairs:
        pair.answer["first_quantity"] = pair.answer["items"][0]["quantity"]
    assert induce(pairs) is None
