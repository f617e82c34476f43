"""What can go wrong with a call to the cluster, in the API server's own words."""

import json
from collections.abc import Mapping
from typing import Any

from sluice_operator.plan.plan import Ref

NOT_FOUND = "NotFound"
UNREACHABLE = "Unreachable"
"""No connection, or it broke."""
TIMEOUT = "Timeout"
KIND_UNKNOWN = "KindUnknown"
"""The server serves no such kind, now."""
NAMESPACE_TERMINATING = "NamespaceTerminating"
INVALID = "Invalid"

_QUOTING = frozenset({400, 422, 500})
"""Answers whose text may quote what was sent."""
_PASSING = frozenset({401, 409, 410, 429})
"""Refusals that another attempt may not meet; so are all of 500 and above."""


class ClusterError(Exception):
    """One call failed: which object, the server's reason and message, and its whole Status.

    For a Secret, whatever may quote its content is left out.
    """

    def __init__(
        self, ref: Ref, reason: str, message: str, *, code: int = 0, status: Mapping[str, Any] | None = None
    ) -> None:
        """`code`: HTTP status, 0 where there was no answer. `status`: the Status object, {} where there was none."""
        super().__init__(ref, reason, message)
        self.ref = ref
        self.reason = reason
        self.message = message
        self.code = code
        self.status = status or {}

    @classmethod
    def answered(cls, ref: Ref, code: int, phrase: str, body: str) -> "ClusterError":
        """From an answer: `phrase` is HTTP's reason phrase, `body` a Status as JSON, or anything."""
        try:
            status = json.loads(body)
        except ValueError:
            status = None
        if not isinstance(status, dict) or status.get("kind") != "Status":
            status = {"message": body[:500]}
        causes = (status.get("details") or {}).get("causes") or []
        reason = status.get("reason") or phrase.replace(" ", "") or f"Http{code}"
        if any(cause.get("reason") == NAMESPACE_TERMINATING for cause in causes):
            reason = NAMESPACE_TERMINATING
        # a field of a wrong type, or unknown to the schema, is an internal error to the server
        if "failed to create typed patch object" in str(status.get("message")):
            reason = INVALID
        if ref.kind in ("Secret", "TokenReview") and code in _QUOTING:
            message = f"the server refused it with HTTP {code}; its words are left out because they may quote it"
            return cls(ref, reason, message, code=code)
        return cls(ref, reason, status.get("message") or phrase, code=code, status=status)

    @property
    def away(self) -> bool:
        """Whether the server gave no answer, so that other calls would not get one either."""
        return self.reason in (UNREACHABLE, TIMEOUT) and not self.code

    @property
    def retryable(self) -> bool:
        """Whether the same call may well succeed later with nothing changed by a person."""
        if self.reason == INVALID:
            return False
        return self.away or self.reason == KIND_UNKNOWN or self.code in _PASSING or self.code >= 500

    def __str__(self) -> str:
        return f"{self.ref}: {self.reason}: {self.message}"
