"""Texts of one layout have signatures that lie close; values do not move them."""

import numpy as np

from doubles.paperwork import invoice
from sluice_sidecar.cache.reuse.template import SIBLINGS, signature

OTHER = "BILL OF LADING\n\nShipper:\nFoo Ltd\n\nVessel: Aurora     Voyage: 12E\nPort of loading: Gdynia\n"


def test_it_is_a_unit_vector_of_384_floats() -> None:
    vector = signature(invoice(0).document)
    assert vector.shape == (384,)
    assert vector.dtype == np.float32
    assert abs(float(vector @ vector) - 1) < 1e-5


def test_siblings_are_near_and_others_are_not() -> None:
    first, second, other = (signature(text) for text in (invoice(0).document, invoice(2).document, OTHER))
    assert first @ second >= SIBLINGS
    assert first @ other < 0.2


def test_digits_do_not_count() -> None:
    text = invoice(0).document
    assert np.array_equal(signature(text), signature(text.replace("7", "3")))


def test_a_text_without_words_has_none() -> None:
    assert not signature(" \n 12 \n").any()
