"""Errors in OpenAI's shape, which chat completions and embeddings share."""

from typing import Any

import orjson

from sluice_sidecar.ask import Problem


def error_object(problem: Problem) -> dict[str, Any]:
    """{"error": {...}} as api.openai.com writes it; its SDKs choose the exception by the HTTP status."""
    if problem.status >= 500:
        kind = "server_error"
    elif problem.status == 429:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error"
    return {"error": {"message": problem.message, "type": kind, "param": problem.param, "code": problem.code}}


def failure(whole: dict[str, Any]) -> str | None:
    """The message of an error that came where an answer should be; None when it is no error."""
    error = whole.get("error")
    if not error:
        # vLLM before 0.10 put the error's fields at the top.
        return str(whole.get("message") or "error without a message") if whole.get("object") == "error" else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return error if isinstance(error, str) else orjson.dumps(error).decode()
