"""An error carries the server's reason and words, says whether to try again, and quotes no Secret."""

import json
from typing import Any

import pytest

from sluice_operator.cluster_error import ClusterError
from sluice_operator.plan.plan import Ref

CONFIG = Ref("v1", "ConfigMap", "shop", "settings")
SECRET = Ref("v1", "Secret", "shop", "keys")


def status(reason: str, message: str = "no", **details: Any) -> str:
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "details": details})


@pytest.mark.parametrize(
    ("code", "reason", "again"),
    [
        (400, "BadRequest", False),
        (401, "Unauthorized", True),
        (403, "Forbidden", False),
        (404, "NotFound", False),
        (409, "Conflict", True),
        (410, "Expired", True),
        (422, "Invalid", False),
        (429, "TooManyRequests", True),
        (500, "InternalError", True),
        (503, "ServiceUnavailable", True),
        (504, "Timeout", True),
    ],
)
def test_the_servers_reason_and_whether_to_try_again(code: int, reason: str, again: bool) -> None:
    error = ClusterError.answered(CONFIG, code, "phrase", status(reason, "because"))
    assert (error.reason, error.code, error.retryable, error.away) == (reason, code, again, False)
    assert str(error) == f"ConfigMap shop/settings: {reason}: because"
    assert error.status["message"] == "because"


@pytest.mark.parametrize("reason", ["Unreachable", "Timeout"])
def test_no_answer_is_worth_another_try(reason: str) -> None:
    error = ClusterError(CONFIG, reason, "refused")
    assert (error.retryable, error.away) == (True, True)


@pytest.mark.parametrize("body", ["", "upstream is away", "[1]", '{"kind": "Other"}'])
def test_an_answer_that_is_no_status_is_told_by_its_phrase(body: str) -> None:
    error = ClusterError.answered(CONFIG, 502, "Bad Gateway", body)
    assert (error.reason, error.message) == ("BadGateway", body or "Bad Gateway")


def test_a_namespace_on_its_way_out_has_a_reason_of_its_own() -> None:
    body = status("Forbidden", causes=[{"reason": "NamespaceTerminating", "field": "metadata.namespace"}])
    error = ClusterError.answered(CONFIG, 403, "Forbidden", body)
    assert (error.reason, error.retryable) == ("NamespaceTerminating", False)


@pytest.mark.parametrize("ref", [CONFIG, SECRET])
def test_a_field_of_a_wrong_type_is_invalid_although_the_server_calls_it_internal(ref: Ref) -> None:
    body = status("", "failed to create typed patch object (shop/settings; v1): .data.k: expected string")
    error = ClusterError.answered(ref, 500, "Internal Server Error", body)
    assert (error.reason, error.code, error.retryable) == ("Invalid", 500, False)


@pytest.mark.parametrize("code", [400, 422, 500])
def test_what_may_quote_a_secret_is_left_out(code: int) -> None:
    causes = [{"message": 'Invalid value: "hunter2"'}]
    error = ClusterError.answered(
        SECRET, code, "phrase", status("Invalid", 'expected text, got "hunter2"', causes=causes)
    )
    assert "hunter2" not in f"{error} {error!r} {error.status} {error.args}"
    assert f"HTTP {code}" in str(error)
    assert "hunter2" in str(ClusterError.answered(CONFIG, code, "phrase", status("Invalid", 'got "hunter2"')))


def test_who_may_not_write_a_secret_is_told() -> None:
    error = ClusterError.answered(SECRET, 403, "Forbidden", status("Forbidden", "sluice may not patch secrets"))
    assert "may not patch" in str(error)
