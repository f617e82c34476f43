"""Errors in disguise and refusals are recognised; answers that speak of them are not taken for them."""

import pytest

from sluice_sidecar.cache.answers.failure import is_failure
from sluice_sidecar.cache.answers.gist import gist
from sluice_sidecar.cache.answers.same import same

ERRORS = (
    "Internal Server Error",
    "Internal error",
    "Error: 500 internal server error",
    "rate limit exceeded",
    "Rate limit reached for requests. Please try again in 20s.",
    "429 Too Many Requests",
    "The server is overloaded, please retry.",
    "Service temporarily unavailable",
    "502 Bad Gateway",
    "upstream request timeout",
    "You exceeded your current quota, please check your plan and billing details.",
    "An unexpected error occurred while processing your request.",
    "Something went wrong. Please try again.",
    "That model is currently overloaded with other requests.",
    "ConnectionError: HTTPSConnectionPool(host='api', port=443)",
    'Traceback (most recent call last):\n  File "app.py", line 3',
    "<html><head><title>502 Bad Gateway</title></head></html>",
    '{"error": {"message": "Rate limit reached", "type": "requests", "code": 429}}',
    '{"error": "internal error"}',
    '{"detail": "Not authenticated", "status": 401}',
)
REFUSALS = (
    "I'm sorry, but I can't assist with that request.",
    "I cannot help with that.",
    "I can’t help with that.",
    "Sorry, I am unable to provide legal advice.",
    "As an AI language model, I cannot answer that question.",
    "Unfortunately, I'm not able to help with this.",
    "I must decline to write that.",
    "I won't be able to assist you with this.",
    "Your request was flagged by our content policy.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Je suis désolé, mais je ne peux pas vous aider.",
)
ANSWERS = (
    "Paris",
    "42",
    "timeout",
    "rate_limit",
    "error",
    "[internal_error]",
    "🙂",
    "+",
    "A rate limit exceeded error means that you sent too many requests.",
    "Too many requests is what HTTP status 429 means.",
    "Rate limit exceeded usually means that a client sent more requests than its plan allows.",
    '{"error": null, "result": 5}',
    '{"error": "none", "total": 12.5}',
    '{"severity": "error", "service": "billing"}',
    '{"error": "timeout"}',
    "I cannot recommend this restaurant highly enough.",
    "I can't help but smile when I read this.",
    "I can't process a refund by phone, but you can start one under Orders in the app.",
    "You cannot help everyone.",
    "Sorry for the delay! Your parcel will arrive on Monday.",
    "Error handling in Go is explicit: a function returns its error as the last value.",
    "No, the warranty does not cover water damage.",
)


@pytest.mark.parametrize("text", ["", "  \n", "...", '""'])
def test_nothing_is_no_answer(text: str) -> None:
    assert is_failure(text) == "empty"


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_with_status_200_is_no_answer(text: str) -> None:
    assert is_failure(text) == "error"


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_no_answer(text: str) -> None:
    assert is_failure(text) == "refusal"


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_one_even_if_it_speaks_of_errors(text: str) -> None:
    assert is_failure(text) is None


def test_a_long_text_is_an_answer_whatever_it_begins_with() -> None:
    assert is_failure("I cannot help with that as it stands. " + "Yet there is much to be said about it. " * 30) is None


@pytest.mark.parametrize("text", ["", "Internal Server Error", "I cannot help with that."])
def test_a_failure_equals_nothing_and_teaches_nothing(text: str) -> None:
    failed = gist(text)
    assert failed.kind == "failure"
    assert failed.core is None
    assert same(failed, failed, lambda: 1.0) is None
    assert same(failed, gist("Paris"), lambda: 0.0) is None
    assert same(gist("Paris"), failed, lambda: 1.0) is None
