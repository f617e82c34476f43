"""Errors that the gateway makes are in the provider's own shape."""

import orjson
import pytest

from sluice_sidecar.ask import Problem
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = (BY_PATH[p] for p in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "invalid_request_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (504, "server_error"),
    ],
)
def test_openai(status: int, kind: str) -> None:
    problem = Problem(status, "the_code", "What went wrong.", param="model")
    expected = {"error": {"message": "What went wrong.", "type": kind, "param": "model", "code": "the_code"}}
    for dialect in (CHAT, EMBEDDINGS):
        assert orjson.loads(dialect.error(problem)) == expected
        assert dialect.error_frame(problem) == b"data: " + dialect.error(problem) + b"\n\n"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic(status: int, kind: str) -> None:
    problem = Problem(status, "the_code", "What went wrong.")
    expected = {"type": "error", "error": {"type": kind, "message": "What went wrong."}}
    assert orjson.loads(MESSAGES.error(problem)) == expected
    assert MESSAGES.error_frame(problem) == b"event: error\ndata: " + MESSAGES.error(problem) + b"\n\n"


def test_anthropics_message_names_the_field_once() -> None:
    def message(text: str) -> str:
        found: str = orjson.loads(MESSAGES.error(Problem(400, "c", text, param="max_tokens")))["error"]["message"]
        return found

    assert message("must not be negative") == "max_tokens: must not be negative"
    assert message("Invalid 'max_tokens': -1") == "Invalid 'max_tokens': -1"
