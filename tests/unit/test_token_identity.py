"""Only a service account's token that is meant for the audience has an identity."""

from typing import Any

import pytest

from sluice_operator.token_identity import TokenIdentity

POD = {"authentication.kubernetes.io/pod-name": ["web-1"], "authentication.kubernetes.io/pod-uid": ["u-1"]}


def review(**changes: Any) -> dict[str, Any]:
    user = {"username": "system:serviceaccount:shop:web", "extra": POD}
    return {"authenticated": True, "audiences": ["sluice"], "user": user, **changes}


def test_a_pods_token() -> None:
    assert TokenIdentity.read(review(), "sluice") == TokenIdentity("shop", "web", "web-1", "u-1")


def test_a_token_that_is_bound_to_no_pod() -> None:
    user = {"username": "system:serviceaccount:shop:web"}
    assert TokenIdentity.read(review(user=user), "sluice") == TokenIdentity("shop", "web")


@pytest.mark.parametrize(
    "changes",
    [
        {"authenticated": False},
        {"audiences": ["other"]},
        {"audiences": None},
        {"user": {"username": "admin"}},
        {"user": {"username": "system:serviceaccount:shop"}},
        {"user": {"username": "system:serviceaccount::web"}},
        {"user": None},
    ],
)
def test_all_others_have_none(changes: dict[str, Any]) -> None:
    assert TokenIdentity.read(review(**changes), "sluice") is None


def test_an_empty_answer_has_none() -> None:
    assert TokenIdentity.read({}, "sluice") is None
