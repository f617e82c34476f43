"""Errors in Anthropic's shape: https://docs.anthropic.com/en/api/errors"""

from typing import Any, Final

import orjson

from sluice_sidecar.ask import Problem

_KINDS: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_object(problem: Problem) -> dict[str, Any]:
    """{"type": "error", ...}. The shape has no place for the field's name, so the message begins with it."""
    kind = _KINDS.get(problem.status) or ("api_error" if problem.status >= 500 else "invalid_request_error")
    message = problem.message
    if problem.param is not None and problem.param not in message:
        message = f"{problem.param}: {message}"
    return {"type": "error", "error": {"type": kind, "message": message}}


def failure(whole: dict[str, Any]) -> str | None:
    """The message of an error that came where an answer should be; None when it is no error."""
    error = whole.get("error")
    if whole.get("type") != "error" and not error:
        return None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return error if isinstance(error, str) and error else orjson.dumps(error or whole).decode()
