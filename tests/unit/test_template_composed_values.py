"""Values from several places, from stacks of labels, and amounts as they are written."""

from sluice_sidecar.cache.reuse.template import Extraction, Pair, Refusal, induce

PORTS = ("FRA", "JFK", "AMS", "GRU", "PVG", "MAD", "DXB", "LHR")


def route(place: int) -> Pair:
    start, end = PORTS[place], PORTS[-1 - place]
    return Pair(
        f"AIR WAYBILL\nNumber: 020-{91234567 + place * 11}\nFrom: {start}\nTo: {end}\n",
        {"awb": f"020-{91234567 + place * 11}", "routing": f"{start}-{end}"},
    )


def stack(place: int) -> Pair:
    day, number = f"{place + 11}.03.2024", f"RE{7000 + place * 31}"
    return Pair(
        f"ACME\n\nDatum\nNummer\nKunde\n{day}\n{number}\n{500 + place * 7}\n\nDanke\n", {"date": day, "number": number}
    )


def amount(place: int, text: str) -> Pair:
    return Pair(f"RECHNUNG\nNummer: {1000 + place * 17}\nGesamt: EUR{text}\n", {"total": text})


def test_a_value_is_put_together_from_two_places() -> None:
    wrapper = induce([route(place) for place in range(4)])
    assert wrapper is not None
    found = wrapper.apply(route(6).document)
    assert isinstance(found, Extraction), found
    assert found.answer == route(6).answer


def test_values_below_a_stack_of_labels_keep_its_order() -> None:
    wrapper = induce([stack(place) for place in range(4)])
    assert wrapper is not None
    found = wrapper.apply(stack(9).document)
    assert isinstance(found, Extraction), found
    assert found.answer == stack(9).answer


def test_an_amount_is_given_as_written_behind_its_currency() -> None:
    wrapper = induce([amount(place, text) for place, text in enumerate(("1.240,50", "99,10", "12.004,00", "7,35"))])
    assert wrapper is not None
    found = wrapper.apply(amount(8, "3.450,99").document)
    assert isinstance(found, Extraction), found
    assert found.answer == {"total": "3.450,99"}


def test_an_amount_that_was_cut_short_is_refused() -> None:
    wrapper = induce([amount(place, text) for place, text in enumerate(("1.240,50", "99,10", "12.004,00", "7,35"))])
    assert wrapper is not None
    assert isinstance(wrapper.apply(amount(8, "181 .81").document), Refusal)


def test_a_label_that_is_misread_is_not_taken_for_absent() -> None:
    def slip(place: int, label: str | None) -> Pair:
        change = f"{label} {place}.25\n" if label else ""
        text = f"CORNER SHOP\nNo {700 + place}\nTOTAL {place + 3}.50\n{change}THANKS\n"
        return Pair(text, {"total": place + 3.5, "change": place + 0.25 if label else None})

    wrapper = induce([slip(place, "CHANGE" if place % 2 else None) for place in range(6)])
    assert wrapper is not None
    assert isinstance(wrapper.apply(slip(9, None).document), Extraction)
    assert isinstance(wrapper.apply(slip(9, "CHANGF").document), Refusal)


def test_a_label_in_a_row_of_labels_that_no_sibling_has_is_refused() -> None:
    def grid(place: int, order: str | None) -> Pair:
        head = "Date          Client ID" + ("     Your order" if order else "")
        row = f"{place + 10}/03/2024    {6000 + place * 7}" + (f"          {order}" if order else "")
        return Pair(f"ACME\n{head}\n{row}\nThanks\n", {"client": str(6000 + place * 7), "order": order})

    wrapper = induce([grid(place, None) for place in range(4)])
    assert wrapper is not None
    assert isinstance(wrapper.apply(grid(7, "PO-5512").document), Refusal)


def test_whether_an_amount_is_grouped_is_not_guessed() -> None:
    wrapper = induce([amount(place, text) for place, text in enumerate(("240.50", "99.10", "12.00", "7.35"))])
    assert wrapper is not None
    assert isinstance(wrapper.apply(amount(8, "310.20").document), Extraction)
    assert isinstance(wrapper.apply(amount(8, "1,310.20").document), Refusal)
