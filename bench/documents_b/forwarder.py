"""Setting of bills of lading and air waybills."""

from datetime import date
from decimal import Decimal
from typing import Any

from bench.documents_b.answers import WORKLOADS
from bench.documents_b.content import Freight
from bench.documents_b.page import Table, beside, fields, table
from bench.documents_b.supplier import Supplier


def show(by: Supplier, said: Freight) -> tuple[str, dict[str, Any]]:
    """The prompt with the document in it, and what a model answers."""
    lines = _lading(by, said) if by.kind == "bl" else _waybill(by, said)
    prompt, answer = WORKLOADS[by.kind][by.workload]
    return prompt.replace("{text}", "\n".join(lines)), answer(said, {}, by.local)


def _text(by: Supplier, name: str, value: object) -> str:
    if isinstance(value, date):
        return by.local.date(value)
    if isinstance(value, Decimal):
        places = {"weight": 3 if by.kind == "bl" else 1, "volume": 3, "chargeable": 1}.get(name, 2)
        unit = {"weight": " KGS" if by.kind == "bl" else " K", "volume": " CBM"}.get(name, "")
        return by.local.number(value, places) + (unit if by.symbol or by.shipping else "")
    return str(value)


def _pairs(by: Supplier, said: Freight, names: tuple[str, ...]) -> list[tuple[str, str]]:
    present = [name for name in names if said.values[name] is not None]
    return [(by.label(name), _text(by, name, said.values[name])) for name in present]


def _lading(by: Supplier, said: Freight) -> list[str]:
    look = by.look
    parties = []
    for name, party in said.parties.items():
        parties += [by.label(name), *(party.lines() if party else []), ""]
    right = fields(look, _pairs(by, said, ("bl_number", "booking")))
    route = fields(look, _pairs(by, said, ("vessel", "voyage", "loading", "discharge", "delivery")))
    headings = ("Container No.", "Seal No.", "Type", "Pkgs", "Gross weight KG", "Measurement CBM")
    rows = tuple(
        ((box.number,), (box.seal,), (box.size,), (str(box.packages),), (by.local.number(box.weight, 3),),
         (by.local.number(box.volume, 3),))
        for box in said.boxes
    )  # fmt: skip
    boxes = table(
        look, Table(headings, rows, (False, False, False, True, True, True), 0, ("", ("",) * len(rows)), ("",))
    )
    sums = fields(look, _pairs(by, said, ("packages", "weight", "volume", "terms")))
    end = fields(look, _pairs(by, said, ("place", "issued")))
    goods = [by.label("goods"), *said.goods]
    top = ["BILL OF LADING FOR COMBINED TRANSPORT", by.address.name, ""]
    order = [route, goods, boxes] if by.mirrored else [goods, boxes, route]
    body = [line for block in order for line in [*block, ""]]
    return [*top, *beside(look, parties, right, 52), *body, *sums, "", *end, "", "Signed for the carrier"]


def _waybill(by: Supplier, said: Freight) -> list[str]:
    look = by.look
    shipper, consignee = ([by.label(name), *(party.lines() if party else [])] for name, party in said.parties.items())
    numbers = fields(look, _pairs(by, said, ("mawb", "hawb")))
    route = fields(look, _pairs(by, said, ("departure", "destination", "flight")))
    weights = fields(look, _pairs(by, said, ("pieces", "weight", "chargeable", "rate")))
    goods = [by.label("goods"), *said.goods]
    charges = [f"{code}  {by.local.number(amount)}" for code, amount in said.charges]
    sums = fields(look, _pairs(by, said, ("declared", "currency", "total")))
    both = beside(look, shipper, consignee, 48) if by.mirrored else [*shipper, "", *consignee]
    other = ["Other charges", *charges] if charges else []
    end = fields(look, _pairs(by, said, ("issued",)))
    return [
        *numbers, "", by.address.name, "", *both, "", *route, "", *weights, "", *goods, "", *other, "", *sums, "", *end
    ]  # fmt: skip
