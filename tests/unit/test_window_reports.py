"""What a gateway's report says of BatchWindows is read strictly, and a report without any is one all the same."""

import json
from decimal import Decimal
from typing import Any

import pytest

from sluice_operator.plan.seen import Report, WindowReport
from sluice_operator.reports import InvalidReport, parse
from sluice_operator.token_identity import TokenIdentity

IDENTITY = TokenIdentity(namespace="team", service_account="sluice-batch", pod="one", pod_uid="uid-one")
SAID: dict[str, Any] = {
    "queued": 9,
    "running": 2,
    "done": 4,
    "failed": 1,
    "oldest": 1_800_000_000.5,
    "missed": 1,
    "saved": "-0.25",
    "currency": "EUR",
}


def read(**windows: Any) -> Report:
    return parse(json.dumps({"windows": windows}).encode(), IDENTITY, 1.0)


def test_all_of_a_window_is_read_and_what_is_newer_is_left_out() -> None:
    found = read(night=SAID | {"novelty": 1}).windows["night"]
    assert found == WindowReport(9, 2, 4, 1, 1_800_000_000.5, 1, Decimal("-0.25"), "EUR")


def test_what_is_not_said_is_nothing() -> None:
    assert read(night={}).windows["night"] == WindowReport()
    assert parse(b"{}", IDENTITY, 1.0).windows == {}


@pytest.mark.parametrize(
    "wrong", [{"queued": -1}, {"done": "4"}, {"oldest": "now"}, {"saved": 0.25}, {"currency": "euro"}], ids=str
)
def test_what_is_wrong_is_refused_with_its_field(wrong: dict[str, Any]) -> None:
    (field,) = wrong
    with pytest.raises(InvalidReport, match=rf"windows\.night\.{field}"):
        read(night=SAID | wrong)
