"""Whose token it is, as a TokenReview tells. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PREFIX = "system:serviceaccount:"
_EXTRA = "authentication.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """A service account, and the pod that its token is bound to."""

    namespace: str
    service_account: str
    pod: str = ""
    """"" where the token is not bound to a pod."""
    pod_uid: str = ""

    @classmethod
    def read(cls, status: Mapping[str, Any], audience: str) -> "TokenIdentity | None":
        """From a TokenReview's status; None where it is not authenticated for `audience`, or no service account."""
        # A server that knows no audiences lists none: such a token was never meant for us.
        if not status.get("authenticated") or audience not in (status.get("audiences") or ()):
            return None
        user = status.get("user") or {}
        name = user.get("username") or ""
        namespace, _, account = name.removeprefix(_PREFIX).partition(":")
        if not name.startswith(_PREFIX) or not namespace or not account:
            return None
        extra = user.get("extra") or {}
        pod, uid = (next(iter(extra.get(_EXTRA + key) or ()), "") for key in ("pod-name", "pod-uid"))
        return cls(namespace, account, pod, uid)
