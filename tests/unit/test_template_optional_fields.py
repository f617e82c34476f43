"""A field that some documents lack is null where its label is absent, and nothing is guessed of one seen once."""

from doubles.paperwork import invoice
from sluice_sidecar.cache.reuse.template import Extraction, Refusal, induce


def test_a_field_is_null_where_its_label_is_absent() -> None:
    wrapper = induce([invoice(0, due="03.05.2024"), invoice(1, due="09.05.2024"), invoice(2), invoice(3)])
    assert wrapper is not None
    without, having = invoice(5), invoice(5, due="21.06.2024")
    for pair in (without, having):
        found = wrapper.apply(pair.document)
        assert isinstance(found, Extraction), found
        assert found.answer == pair.answer


def test_a_field_that_was_seen_once_is_left_to_the_model() -> None:
    wrapper = induce([invoice(0, due="03.05.2024"), invoice(1), invoice(2)])
    assert wrapper is not None
    found = wrapper.apply(invoice(3, due="21.06.2024").document)
    assert isinstance(found, Refusal)


def test_a_key_that_is_left_out_stays_out() -> None:
    pairs = [invoice(0, due="03.05.2024"), invoice(1, due="09.05.2024"), invoice(2), invoice(3), invoice(5)]
    for pair in pairs[2:]:
        del pair.answer["due"]
    wrapper = induce(pairs[:4])
    assert wrapper is not None
    found = wrapper.apply(pairs[4].document)
    assert isinstance(found, Extraction), found
    assert found.answer == pairs[4].answer
