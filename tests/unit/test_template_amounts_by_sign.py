"""Amounts that a document writes with a minus or a currency, or that say that there is nothing."""

from sluice_sidecar.cache.reuse.template import Extraction, Pair, induce


def bill(place: int, *, discount: str | None = None, mark: str = "€", free: str = "") -> Pair:
    lines = [
        f"Amount due {mark} {90 + 11 * place},5{place}",
        f"Invoice: {4100 + 37 * place}",
        *([f"Discount   -{discount}"] if discount else []),
        f"Shipping   {'0,00' if free == 'shipping' else f'{place + 3},15'}",
        f"Deposit   {'0,00' if free == 'deposit' else f'{place + 7},75'}",
    ]
    answer = {
        "number": str(4100 + 37 * place),
        "discount": discount.replace(",", ".") if discount else "0.00",
        "due": float(f"{90 + 11 * place}.5{place}"),
    }
    return Pair("\n".join(lines), answer)


def read(pairs: list[Pair], new: Pair) -> None:
    wrapper = induce(pairs)
    assert wrapper is not None
    found = wrapper.apply(new.document)
    assert isinstance(found, Extraction), found
    assert found.answer == new.answer


def test_a_discount_with_a_minus_is_answered_without_it() -> None:
    pairs = [bill(place, discount=f"{place + 3},2{place}" if place != 1 else None) for place in range(5)]
    read(pairs, bill(6, discount="47,18"))


def test_an_amount_behind_changing_currencies_is_told_by_its_name() -> None:
    read([bill(place, mark=mark) for place, mark in enumerate("€$£€$")], bill(6, mark="£"))


def test_a_nought_that_stands_elsewhere_by_chance_still_says_that_there_is_nothing() -> None:
    read([bill(place, free="deposit" if place % 2 else "shipping") for place in range(4)], bill(6))
