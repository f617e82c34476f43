"""A report is read strictly, and says nothing about who it is from."""

import json
from decimal import Decimal
from typing import Any

import pytest

from sluice_operator.plan.seen import PolicyReport, Report, RouteSavings
from sluice_operator.reports import BODY_BYTES, InvalidReport, parse
from sluice_operator.token_identity import TokenIdentity

WHO = TokenIdentity("team", "sluice-gateway", "gateway-1", "uid-1")
FULL: dict[str, Any] = {
    "version": "0.1.0",
    "schemas": [1],
    "capabilities": ["batch"],
    "role": "shared",
    "started": 1_700_000_000.5,
    "digest": "d",
    "routes": {"house": "r"},
    "refused": {"other": "no key"},
    "problem": "",
    "savings": {"house": {"requests": 9, "reused": 4, "money": "-0.12", "currency": "EUR", "tokens": 800}},
    "policies": {"shared": {"entries": None, "requests": 9, "reused": 4, "store": "away", "bound": 0.0083}},
}


def read(**changes: Any) -> Report:
    return parse(json.dumps({**FULL, **changes}).encode(), WHO, 5.0)


def test_all_that_a_gateway_says_is_read() -> None:
    assert read() == Report(
        namespace="team",
        pod="gateway-1",
        pod_uid="uid-1",
        received=5.0,
        version="0.1.0",
        schemas=(1,),
        digest="d",
        routes={"house": "r"},
        refused={"other": "no key"},
        savings={"house": RouteSavings(9, 4, Decimal("-0.12"), "EUR", 800)},
        policies={"shared": PolicyReport(None, 9, 4, "away", 0.0083)},
        started=1_700_000_000.5,
    )


def test_who_it_is_comes_from_the_token_and_unknown_fields_are_ignored() -> None:
    assert read(namespace="other", pod="other", pod_uid="other", received=9, novel={"a": [1]}) == read()


def test_nothing_is_needed() -> None:
    assert parse(b"{}", WHO, 5.0) == Report("team", "gateway-1", "uid-1", 5.0)


def test_long_texts_are_cut() -> None:
    report = read(problem="x" * 5000, refused={"house": "y" * 5000})
    assert len(report.problem) == len(report.refused["house"]) == 1024
    assert report.problem.endswith("...")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "v" * 65),
        ("version", 1),
        ("schemas", []),
        ("schemas", [1] * 17),
        ("schemas", ["1"]),
        ("schemas", [True]),
        ("policies", {"shared": {"bound": 1.5}}),
        ("policies", {"shared": {"bound": float("nan")}}),
        ("policies", {"shared": {"bound": "0.1"}}),
        ("started", "now"),
        ("started", -1),
        ("started", float("nan")),
        ("started", float("inf")),
        ("digest", "d" * 129),
        ("routes", {"": "d"}),
        ("routes", {"n" * 254: "d"}),
        ("routes", {"house": 1}),
        ("routes", ["house"]),
        ("routes", {f"r{number}": "d" for number in range(5001)}),
        ("refused", {"house": None}),
        ("problem", None),
        ("savings", {"house": {"requests": -1}}),
        ("savings", {"house": {"requests": 1.5}}),
        ("savings", {"house": {"tokens": 2**63}}),
        ("savings", {"house": {"money": "NaN"}}),
        ("savings", {"house": {"money": "1e999999"}}),
        ("savings", {"house": {"money": 0.1}}),
        ("savings", {"house": {"currency": "euro"}}),
        ("policies", {"shared": {"entries": -1}}),
        ("policies", {"shared": []}),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidReport, match=f"^{field}"):
        read(**{field: value})


@pytest.mark.parametrize(
    "body", [b"", b"nothing", b"[]", b'"\xff"', b'{"version": "\\ud800"}', b"[" * 100_000, b'{"a": 1} x']
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidReport):
        parse(body, WHO, 5.0)


def test_the_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(InvalidReport) as refused:
        read(digest="canary" * 50)
    assert "canary" not in str(refused.value)


def test_a_large_body_is_refused() -> None:
    with pytest.raises(InvalidReport, match="at most 1048576 bytes"):
        parse(b" " * (BODY_BYTES + 1), WHO, 5.0)
