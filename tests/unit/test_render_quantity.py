"""Quantities are written as the API server stores them."""

import pytest

from sluice_operator.render.quantity import amount, canonical, resources, whole_bytes


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("0.5", "500m"), ("1000m", "1"), ("1500m", "1500m"), ("1000k", "1M"),
        ("1024", "1024"), ("1.5G", "1500M"), ("0Gi", "0"), ("0.5Ki", "512"), ("10.500", "10500m"), ("1000", "1k"),
        (2, "2"), ("1e3", "1e3"),
    ],
)  # fmt: skip
def test_canonical_forms(given: object, stored: str) -> None:
    assert canonical(given) == stored
    assert canonical(stored) == stored


def test_a_volume_has_whole_bytes() -> None:
    assert whole_bytes("1.5") == "2"
    assert whole_bytes("1.001Ki") == "1026"
    assert whole_bytes("2Gi") == "2Gi"


DEFAULT = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


@pytest.mark.parametrize(
    ("given", "memory"),
    [
        ({}, ("128Mi", "1Gi")),
        ({"limits": {"memory": "64Mi"}}, ("64Mi", "64Mi")),
        ({"requests": {"memory": "2Gi"}}, ("2Gi", "2Gi")),
        ({"requests": {"memory": "2Gi"}, "limits": {"memory": "1536Mi"}}, ("1536Mi", "1536Mi")),
        ({"requests": {"memory": "256Mi"}, "limits": {"memory": "2048Mi"}}, ("256Mi", "2Gi")),
    ],
)
def test_a_request_is_never_over_its_limit(given: dict[str, dict[str, str]], memory: tuple[str, str]) -> None:
    found = resources(DEFAULT, given)
    assert (found["requests"]["memory"], found["limits"]["memory"]) == memory
    assert found["requests"]["cpu"] == "100m"


def test_what_is_no_quantity_is_told() -> None:
    with pytest.raises(ValueError, match='"lots" is not a quantity; write for example'):
        amount("lots")
