"""An AdmissionReview is answered with a patch, a refusal with its cure, or nothing."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from doubles.admission import PATCH, admission_review, annotated
from doubles.bound_tokens import pod
from sluice_operator.admission.inject import Refused
from sluice_operator.admission.review import Inject, Injection, InvalidReview, answer

POD = pod("app")


def asked(review: Mapping[str, Any], inject: Inject = annotated) -> dict[str, Any]:
    answered = answer(json.dumps(review).encode(), inject)
    assert (answered["apiVersion"], answered["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = answered["response"]
    assert response.pop("uid") == review["request"]["uid"]
    return response


def test_the_patch_is_json_in_base64() -> None:
    response = asked(admission_review(POD))
    assert json.loads(base64.b64decode(response.pop("patch"))) == PATCH
    assert response == {"allowed": True, "patchType": "JSONPatch"}


def test_the_pod_and_its_namespace_are_handed_on() -> None:
    told: list[tuple[Any, str]] = []

    def inject(pod: Mapping[str, Any], namespace: str) -> Injection:
        told.append((pod, namespace))
        return Injection(warnings=("w" * 300,))

    assert asked(admission_review(POD, "blue"), inject) == {"allowed": True, "warnings": ["w" * 256]}
    assert told == [(POD, "blue")]


def test_a_refusal_says_why() -> None:
    def inject(_pod: Mapping[str, Any], _namespace: str) -> Injection:
        raise Refused("take hostNetwork out")

    assert asked(admission_review(POD), inject) == {
        "allowed": False,
        "status": {"code": 422, "reason": "Invalid", "message": "take hostNetwork out"},
    }


@pytest.mark.parametrize("other", [{"operation": "UPDATE"}, {"operation": "DELETE"}, {"kind": "Deployment"}])
def test_anything_else_is_let_through(other: dict[str, str]) -> None:
    assert asked(admission_review(POD, **other)) == {"allowed": True}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "u"}}',
        b'{"apiVersion": "admission.k8s.io/v1", "kind": "Pod", "request": {"uid": "u"}}',
        b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}',
        b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": 5}}',
        json.dumps(admission_review(POD) | {"request": {**admission_review(POD)["request"], "object": None}}).encode(),
        json.dumps(admission_review(POD) | {"request": {**admission_review(POD)["request"], "namespace": 5}}).encode(),
    ],
)
def test_what_is_no_review_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidReview):
        answer(body, annotated)
