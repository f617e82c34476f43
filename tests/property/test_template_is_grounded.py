"""Nothing that is served comes from another document: each value stands where the evidence says, or is refused."""

import datetime
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.paperwork import BUYERS, invoice
from sluice_sidecar.cache.reuse.template import Extraction, Pair, induce

WORD = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9).map(str.title)
ROW = st.tuples(st.lists(WORD, min_size=1, max_size=3).map(" ".join), st.integers(1, 999), st.integers(1, 99_999))
ROWS = st.lists(ROW, min_size=1, max_size=8).map(lambda rows: [(what, n, cents / 100) for what, n, cents in rows])

LEARNED = induce([invoice(place) for place in range(3)])


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not None:
        yield value


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, name=WORD, number=st.integers(2000, 9999), day=st.dates(datetime.date(2020, 1, 1)))
def test_every_value_is_evident_and_right(rows: list[Any], name: str, number: int, day: datetime.date) -> None:
    assert LEARNED is not None
    pair = invoice(3, rows=rows)
    text = (
        pair.document.replace("INV-1111", f"INV-{number}")
        .replace("15.04.2024", day.strftime("%d.%m.%Y"))
        .replace(BUYERS[3][0], f"{name} Ltd")
    )
    answer = {
        **pair.answer,
        "number": f"INV-{number}",
        "date": day.isoformat(),
        "customer": {**pair.answer["customer"], "name": f"{name} Ltd"},
    }
    found = LEARNED.apply(text)
    if isinstance(found, Extraction):
        assert found.answer == answer
        assert len(found.evidence) == len(list(leaves(found.answer)))
        for evidence in found.evidence:
            assert text[evidence.start : evidence.end] == evidence.text


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 40), kept=st.integers(0, 40), noise=st.text(max_size=12))
def test_a_mangled_document_never_yields_what_it_does_not_say(cut: int, kept: int, noise: str) -> None:
    assert LEARNED is not None
    lines = invoice(3).document.split("\n")
    mangled = "\n".join([*lines[:cut], noise, *lines[cut + kept % 3 :]])
    found = LEARNED.apply(mangled)
    if isinstance(found, Extraction):
        cut_ends = "\n".join(
            line.expandtabs(8).rstrip() for line in mangled.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )
        assert all(evidence.text and evidence.text in cut_ends for evidence in found.evidence)
        others = [invoice(place).answer for place in range(3)]
        assert all(found.answer["number"] != other["number"] for other in others)


def test_pairs_in_any_order_teach_the_same() -> None:
    pairs: list[Pair] = [invoice(place) for place in range(3)]
    answers = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        wrapper = induce([pairs[place] for place in order])
        assert wrapper is not None
        found = wrapper.apply(invoice(3).document)
        assert isinstance(found, Extraction)
        answers.append(found.answer)
    assert answers == [invoice(3).answer] * 3
