"""Labels that a scanner misread are mended from the siblings'; values are not."""

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce


def receipt(place: int, *, total: str = "TOTAL", thanks: str = "THANK YOU COME AGAIN", amount: str = "") -> Pair:
    price = f"{20 + 7 * place}.{15 + place}"
    text = "\n".join(
        ["Corner Shop", "TEL 233-7815886", f"RECEIPT {40_000 + 611 * place}", "",
         f"{total} ............ {amount or price}", "CASH ............ 100.00", thanks]
    )  # fmt: skip
    return Pair(text, {"receipt": str(40_000 + 611 * place), "total": float(price)})


SIBLINGS = [receipt(0), receipt(1, thanks="THANK Y0U COME AGAIN"), receipt(2), receipt(3, total="T0TAL"), receipt(4)]


def test_a_misread_label_is_mended() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    found = wrapper.apply(receipt(5, total="TOTAl").document)
    assert isinstance(found, Extraction), found
    assert found.answer == receipt(5).answer


def test_the_evidence_is_where_it_stands_in_the_text_as_it_was() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    document = receipt(6, total="TOTL").document
    found = wrapper.apply(document)
    assert isinstance(found, Extraction), found
    assert all(document[one.start : one.end] == one.text for one in found.evidence)


def test_a_misread_amount_is_not_mended() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    assert isinstance(wrapper.apply(receipt(5, amount="5S.20").document), Refusal)
