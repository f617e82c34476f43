"""Addresses of varying length, lists that may be empty, sums of lines: read, or refused where they are new."""

from typing import Any

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce

FIRMS = ("Nordlicht GmbH", "Bluebell Ltd", "Kuiper Techniek", "Aceros SA", "Morel SARL", "Castle Paper")
STREETS = ("Havenweg 12", "Kingsway 7", "Dorpsstraat 88", "Calle Mayor 4", "Industrieweg 31", "Mill Lane 5")
TOWNS = ("Den Haag", "Leipzig", "Utrecht", "Bad Homburg", "Lyon", "Breda")


def waybill(
    place: int, *, extra: str = "", land: str = "", charges: int = 0, goods: tuple[str, ...] = ("LAMPS",)
) -> Pair:
    code = str(10_000 + 1_237 * place)
    lines = [FIRMS[place % 6], *([extra] if extra else []), STREETS[place % 6], f"{code} {TOWNS[place % 6]}"]
    lines += [land] if land else []
    costs = [(("AWC", "FSC", "MYC")[at], 10.5 + place + at) for at in range(charges)]
    listed = ["Other charges", *(f"{name}  {amount:.2f}" for name, amount in costs), ""] if costs else []
    text = "\n".join(
        ["Air waybill", f"No.: {7_000_000 + 313 * place}", "", "Shipper", *lines, "", "Contents", *goods, "", *listed,
         f"VAT 19 %  {place + 1}.25", f"VAT 7 %  {place + 2}.50", f"Total: {500 + 3 * place}.75"]
    )  # fmt: skip
    answer: dict[str, Any] = {
        "number": str(7_000_000 + 313 * place),
        "shipper": {"name": lines[0], "street": STREETS[place % 6], "code": code, "city": TOWNS[place % 6]},
        "lines": lines,
        "charges": [{"code": name, "amount": amount} for name, amount in costs],
        "vat": 2 * place + 3.75,
        "total": 500 + 3 * place + 0.75,
    }
    return Pair(text, answer)


SIBLINGS = [
    waybill(0, extra="c/o Anna Vogel", charges=2),
    waybill(1, land="Nederland", charges=1),
    waybill(2, charges=0),
    waybill(3, extra="Unit 4", land="France", charges=2),
]


def test_an_address_with_another_number_of_lines_is_split_right() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    new = waybill(4, extra="Postfach 77", land="Belgique", charges=1)
    found = wrapper.apply(new.document)
    assert isinstance(found, Extraction), found
    assert found.answer == new.answer


def test_a_list_without_items_is_empty() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    new = waybill(5, charges=0)
    found = wrapper.apply(new.document)
    assert isinstance(found, Extraction), found
    assert found.answer["charges"] == []


def test_a_row_of_another_form_is_not_left_out() -> None:
    wrapper = induce(SIBLINGS)
    assert wrapper is not None
    new = waybill(4, charges=2)
    assert isinstance(wrapper.apply(new.document.replace("FSC  15.50", "FSC  15.50  8.10")), Refusal)


def goods(place: int, *names: str) -> Pair:
    pair = waybill(place, charges=place % 3, goods=names)
    return Pair(pair.document, {"number": pair.answer["number"], "goods": ", ".join(names)})


def test_a_value_that_goes_on_below_is_not_cut() -> None:
    wrapper = induce([goods(place, name) for place, name in enumerate(("LAMPS", "TILES", "COFFEE", "BICYCLES"))])
    if wrapper is not None:
        assert isinstance(wrapper.apply(goods(4, "TILES", "LAMPS").document), Refusal)
    both = induce([goods(0, "LAMPS"), goods(1, "TILES", "COFFEE"), goods(2, "TEA"), goods(3, "LAMPS", "TEA")])
    assert both is not None
    found = both.apply(goods(4, "TILES", "LAMPS").document)
    assert isinstance(found, Extraction), found
    assert found.answer["goods"] == "TILES, LAMPS"


def test_a_label_beside_a_block_is_not_taken_for_a_part_of_it() -> None:
    def document(place: int, note: str | None) -> Pair:
        left = [
            f"Account: {place}42",
            f"Order: {place}9{place}",
            *([f"Note: {note}"] if note else []),
            f"Due: {place}.50",
        ]
        right = ["Buyer", FIRMS[place], STREETS[place], f"1{place}345 {TOWNS[place]}"]
        rows = [f"{one:<30}{two}".rstrip() for one, two in zip([*left, "", ""][:4], right, strict=True)]
        answer = {"account": f"{place}42", "address": "\n".join(right[1:]), "note": note}
        return Pair("\n".join(["Statement of account", "", *rows, "", "Thank you for your custom."]), answer)

    wrapper = induce([document(place, None) for place in range(4)])
    assert wrapper is not None
    assert isinstance(wrapper.apply(document(5, "LS77").document), Refusal)
