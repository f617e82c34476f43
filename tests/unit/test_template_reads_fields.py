"""A new document gets its own values, read where its siblings' values stood."""

from doubles.paperwork import ROWS, invoice
from sluice_sidecar.cache.reuse.template import Extraction, Pair, induce


def extracted(pairs: list[Pair], document: str) -> object:
    wrapper = induce(pairs)
    assert wrapper is not None
    found = wrapper.apply(document)
    assert isinstance(found, Extraction), found
    return found.answer


def test_labels_dates_amounts_addresses_and_rows_are_read() -> None:
    new = invoice(3)
    assert extracted([invoice(0), invoice(1), invoice(2)], new.document) == new.answer


def test_a_table_may_have_more_rows_than_any_before() -> None:
    new = invoice(3, rows=[*ROWS[0], *ROWS[1], *ROWS[2], *ROWS[3]])
    assert extracted([invoice(0), invoice(1), invoice(2)], new.document) == new.answer


def test_text_around_the_document_does_not_matter() -> None:
    pairs = [invoice(place) for place in range(4)]
    wrapped = [Pair(f"You read invoices.\n<doc>\n{p.document}\n</doc>\nAnswer in JSON.", p.answer) for p in pairs]
    assert extracted(wrapped[:3], wrapped[3].document) == wrapped[3].answer


def test_values_stand_under_headings() -> None:
    pairs = [
        Pair(
            f"Air waybill\n\nAWB number        Flight      Pieces\n020-{n}      LH{n % 97}        {n % 13}\n",
            {"awb": f"020-{n}", "flight": f"LH{n % 97}", "pieces": n % 13},
        )
        for n in (11111111, 22222229, 33333337, 44444423)
    ]
    assert extracted(pairs[:3], pairs[3].document) == pairs[3].answer


def test_numbers_with_decimal_comma_become_plain_numbers() -> None:
    pairs = [
        Pair(f"Rechnung\nNr: {no}\nGesamtbetrag: {text} EUR\n", {"no": no, "total": total})
        for no, text, total in (
            ("A-1", "1.234,56", 1234.56),
            ("B-2", "99,10", 99.1),
            ("C-3", "12.000,00", 12000.0),
            ("D-4", "7.001,25", 7001.25),
        )
    ]
    assert extracted(pairs[:3], pairs[3].document) == pairs[3].answer


def test_answers_may_be_verbatim() -> None:
    pairs = [
        Pair(f"Facture\nDate: {day}\nNet à payer: {total}\n", {"date": day, "total": total})
        for day, total in (
            ("03/04/2024", "€12,50"),
            ("14/05/2024", "€1 240,00"),
            ("30/06/2024", "€7,25"),
            ("01/02/2025", "€99,99"),
        )
    ]
    assert extracted(pairs[:3], pairs[3].document) == pairs[3].answer
