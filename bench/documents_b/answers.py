"""What a model answers, by workload: its prompt and its JSON."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from bench.documents_b.content import Address, Freight, Invoice
from bench.documents_b.locale import Locale
from bench.documents_b.words import CODES

Answer = dict[str, Any]


def _n(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _flat(said: Invoice, supplier: Answer, local: Locale) -> Answer:
    return {
        "invoice_number": said.number,
        "invoice_date": said.date.isoformat(),
        "due_date": said.due.isoformat(),
        "supplier_name": supplier["name"],
        "customer_name": said.customer.name,
        "purchase_order": said.po,
        "iban": supplier["iban"],
        "currency": said.currency,
        "line_items": [
            {
                "description": " ".join(one.description),
                "quantity": _n(one.quantity),
                "unit_price": _n(one.price),
                "amount": _n(one.total),
            }
            for one in said.items
        ],
        "net_amount": _n(said.net),
        "discount": _n(said.discount) if said.discount else None,
        "vat_amount": _n(sum((tax for _, _, tax in said.taxes), Decimal(0))),
        "total_amount": _n(said.gross),
    }


def _nested(said: Invoice, supplier: Answer, local: Locale) -> Answer:
    answer: Answer = {
        "invoice": {"number": said.number, "date": local.date(said.date), "dueDate": local.date(said.due)},
        "supplier": {"name": supplier["name"], "vatId": supplier["vat_id"]},
        "customer": {
            "name": said.customer.name,
            "address": ", ".join(said.customer.lines()[1:]),
            "number": said.customer_no,
        },
        "lines": [
            {"article": one.sku, "text": one.description[0], "qty": local.number(one.quantity, _places(one.quantity)),
             "total": local.number(one.total)}
            for one in said.items
        ],
        "totals": {"net": local.number(said.net), "gross": local.number(said.gross), "currency": said.currency},
    }  # fmt: skip
    if said.po:
        answer["invoice"]["orderNumber"] = said.po
    if said.delivery_note:
        answer["invoice"]["deliveryNote"] = said.delivery_note
    return answer


def _places(value: Decimal) -> int:
    return 0 if value == value.to_integral_value() else 2


def _short(said: Invoice, supplier: Answer, local: Locale) -> Answer:
    return {
        "rechnungsnummer": said.number,
        "datum": local.date(said.date),
        "zahlungsziel_tage": said.days,
        "netto": f"{said.net:.2f}",
        "brutto": f"{said.gross:.2f}",
        "rabatt": f"{said.discount:.2f}",
        "versand": f"{said.shipping:.2f}",
        "bestellnummer": said.po,
        "reverse_charge": said.reverse,
        "ust_id": supplier["vat_id"],
    }


def _book(said: Invoice, supplier: Answer, local: Locale) -> Answer:
    return {
        "document_type": "invoice",
        "id": said.number,
        "date": said.date.isoformat(),
        "bill_to": _split(said.customer),
        "currency": said.currency,
        "items": [
            {"code": one.sku, "quantity": _n(one.quantity), "unit": one.unit, "total": _n(one.total)}
            for one in said.items
        ],
        "item_count": len(said.items),
        "vat": [{"rate": rate, "base": _n(base), "amount": _n(tax)} for rate, base, tax in said.taxes],
        "has_discount": bool(said.discount),
        "total": _n(said.gross),
    }


def _split(where: Address) -> Answer:
    return {"name": where.name, "street": where.street, "postal_code": where.postcode, "city": where.city}


def _iso(value: object) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return _n(value) if isinstance(value, Decimal) else value


def _lading(said: Freight, supplier: Answer, local: Locale) -> Answer:
    names = ("bl_number", "booking", "vessel", "voyage", "loading", "discharge", "issued", "packages", "weight")
    answer = {name: _iso(said.values[name]) for name in names}
    answer["freight_terms"] = str(said.values["terms"]).lower()
    answer |= {name: party.name if party else None for name, party in said.parties.items()}
    return answer | {"containers": [box.number for box in said.boxes]}


def _lading_deep(said: Freight, supplier: Answer, local: Locale) -> Answer:
    return {
        "billOfLading": said.values["bl_number"],
        "issueDate": local.date(said.values["issued"]),  # type: ignore[arg-type]
        "prepaid": said.values["terms"] == "PREPAID",
        "parties": {name: party.lines() if party else None for name, party in said.parties.items()},
        "route": {name: said.values[name] for name in ("vessel", "voyage", "loading", "discharge", "delivery")},
        "containers": [
            {"number": box.number, "seal": box.seal, "type": box.size, "packages": box.packages,
             "weightKg": _n(box.weight), "volumeCbm": _n(box.volume)}
            for box in said.boxes
        ],
        "goods": ", ".join(said.goods),
    }  # fmt: skip


def _waybill(said: Freight, supplier: Answer, local: Locale) -> Answer:
    names = ("mawb", "hawb", "departure", "destination", "flight", "issued", "pieces", "weight", "chargeable", "total",
             "currency")  # fmt: skip
    answer = {name: _iso(said.values[name]) for name in names}
    return answer | {name: party.name if party else None for name, party in said.parties.items()}


def _waybill_deep(said: Freight, supplier: Answer, local: Locale) -> Answer:
    shipper = said.parties["shipper"]
    return {
        "awb": {"master": said.values["mawb"], "house": said.values["hawb"] or ""},
        "routing": f"{said.values['departure']}-{said.values['destination']}",
        "shipper": _split(shipper) if shipper else None,
        "pieces": said.values["pieces"],
        "grossWeight": _n(said.values["weight"]),  # type: ignore[arg-type]
        "rate": _n(said.values["rate"]),  # type: ignore[arg-type]
        "otherCharges": [{"code": code, "amount": _n(amount)} for code, amount in said.charges],
        "total": {"amount": _n(said.values["total"]), "currency": said.values["currency"]},  # type: ignore[arg-type]
        "declaredValue": None if said.values["declared"] is None else _iso(said.values["declared"]),
    }


WORKLOADS: dict[str, tuple[tuple[str, Callable[[Any, Answer, Locale], Answer]], ...]] = {
    "invoice": (
        ("Extract the invoice below as JSON with the keys of our schema. Dates as YYYY-MM-DD, numbers as numbers.\n"
         "Use null for what is missing.\n\n---\n{text}\n---", _flat),
        ("You are an accounts payable clerk.\n\n<document>\n{text}\n</document>\n\nReturn only JSON: invoice, supplier,"
         " customer, lines, totals. Keep values exactly as printed. Leave out what is not printed.", _nested),
        ("{text}\n\nLies Rechnungsnummer, Datum, Zahlungsziel, Beträge und USt-ID aus. Antworte nur mit JSON.",
         _short),
        ("Task: bookkeeping record.\nRules: ISO dates; 0 decimals where possible; VAT by rate.\n\nDOCUMENT:\n{text}\n\n"
         "END OF DOCUMENT. Answer in JSON, nothing else.", _book),
    ),
    "bl": (
        ("Read this bill of lading and give bl_number, booking, vessel, voyage, ports, weight, parties and containers"
         " as JSON.\n\n{text}", _lading),
        ("```\n{text}\n```\nConvert the bill of lading above to JSON. Use the schema "
         '{"billOfLading": str, "parties": {...}, "route": {...}, "containers": [...]}.', _lading_deep),
    ),
    "awb": (
        ("Extract the air waybill as flat JSON (null if absent):\n\n{text}\n\nJSON:", _waybill),
        ("Air waybill text follows.\n===\n{text}\n===\nGive awb, routing, shipper, charges, total.", _waybill_deep),
    ),
}  # fmt: skip


def vat_id(language: str, number: str) -> str:
    """A VAT number of the country, shape only."""
    return f"{CODES[language]}{number}"
