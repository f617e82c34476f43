"""AdmissionReview v1: what the API server asks about a pod, and the answer. Pure."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice_operator.admission.inject import Operation, Refused

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"
WARNING = 256
"""Characters of a warning that kubectl shows."""


class InvalidReview(Exception):  # noqa: N818  (it says what the review is)
    """A body that is no AdmissionReview v1: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Injection:
    """What is done to a pod, and what its author should know."""

    patch: Sequence[Operation] = ()
    """JSON patch; empty: the pod stays as it is."""
    warnings: tuple[str, ...] = ()


Inject = Callable[[Mapping[str, Any], str], Injection]
"""The injection for a pod in a namespace. Changes nothing anywhere, so that a dry run is one; raises Refused."""


def answer(body: bytes, inject: Inject) -> dict[str, Any]:
    """The AdmissionReview that answers the one in `body`. Anything but a pod's creation is let through untouched.

    Raises InvalidReview.
    """
    request = _request(body)
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    kind = request.get("kind")
    if isinstance(kind, dict) and kind.get("kind") == "Pod" and request.get("operation") == "CREATE":
        response |= _injected(request, inject)
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _request(body: bytes) -> dict[str, Any]:
    try:
        review = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidReview("the body is not JSON") from None
    if not isinstance(review, dict) or (review.get("apiVersion"), review.get("kind")) != (API_VERSION, KIND):
        raise InvalidReview(f"the body is no {KIND} of {API_VERSION}: set admissionReviewVersions: [v1]")
    request = review.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("uid"), str):
        raise InvalidReview(f"the {KIND} has no request with a uid")
    return request


def _injected(request: Mapping[str, Any], inject: Inject) -> dict[str, Any]:
    pod, namespace = request.get("object"), request.get("namespace")
    if not isinstance(pod, dict) or not isinstance(namespace, str):
        raise InvalidReview("the request has no pod as its object, or no namespace")
    try:
        injection = inject(pod, namespace)
    except Refused as refused:
        return {"allowed": False, "status": {"code": 422, "reason": "Invalid", "message": refused.reason}}
    response: dict[str, Any] = {}
    if injection.patch:
        patch = json.dumps(list(injection.patch), separators=(",", ":")).encode()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
    if injection.warnings:
        response["warnings"] = [warning[:WARNING] for warning in injection.warnings]
    return response
