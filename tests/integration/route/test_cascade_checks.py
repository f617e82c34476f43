"""A cascade by checks: what they refuse, or cannot decide, goes on to the next stage."""

import time
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from doubles.behaviours import error, json_body, raw_body, stall, text
from doubles.calling import CALLER, Calling, ask, backend, calling, resilient
from doubles.scripted import Behaviour, Scripted
from sluice_sidecar.config import (
    Cascade,
    Check,
    Confidence,
    Credential,
    HttpCheck,
    JsonSchemaCheck,
    RegexCheck,
    Route,
)
from sluice_sidecar.route.checks import Checks
from sluice_sidecar.route.router import Router
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

SLOW = "^(?:a|aa)+$"
"""Takes for ever on many a's that another character follows."""

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "code": {"type": "string", "pattern": SLOW}},
    "required": ["city"],
}


def cascade(
    desk: Calling, small: Scripted, large: Scripted, *checks: Check, confidence: Confidence | None = None
) -> Router:
    return Router(
        Route(
            name="r",
            models=("auto",),
            backends={"small": backend(small.url, "small"), "large": backend(large.url, "large")},
            strategy=Cascade(stages=("small", "large"), checks=checks, confidence=confidence),
            reference="large",
            resilience=resilient(attempts=1),
        ),
        desk.courier,
    )


async def verdict(said: str, *checks: Check, stream: bool = False) -> str | None:
    """What became of the small model's answer."""
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text([said]))
        large.answer(text("from large"))
        reply = await cascade(desk, small, large, *checks).answer(ask(stream=stream), CALLER)
        assert (reply.backend.name == "small") == (reply.attempts[0].verdict == "accepted")
        return reply.attempts[0].verdict


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"city": "Paris"}', "accepted"),
        ('{"town": "Paris"}', "jsonSchema"),
        ("Paris", "jsonSchema"),
        ('{"city": 7}', "jsonSchema"),
        ("", "jsonSchema"),
    ],
)
async def test_json_schema(said: str, expected: str) -> None:
    assert await verdict(said, JsonSchemaCheck(json_schema=CITY)) == expected


@pytest.mark.parametrize(("said", "expected"), [("Total: 12 EUR", "accepted"), ("no idea", "regex")])
async def test_regex(said: str, expected: str) -> None:
    assert await verdict(said, RegexCheck(pattern=r"\d+ EUR")) == expected


@pytest.mark.parametrize(
    "check",
    [RegexCheck(pattern=SLOW), JsonSchemaCheck(json_schema=CITY)],
    ids=["regex", "pattern in a schema"],
)
async def test_a_pattern_that_an_answer_makes_slow_is_cut_off_and_refuses(check: Check) -> None:
    long = "a" * 60 + "!"
    began = time.monotonic()
    said = long if isinstance(check, RegexCheck) else f'{{"city": "x", "code": "{long}"}}'
    assert await verdict(said, check) == check.type
    assert time.monotonic() - began < 5.0


async def test_all_checks_must_accept_and_the_first_that_does_not_is_named() -> None:
    one, two = RegexCheck(pattern="city"), JsonSchemaCheck(json_schema=CITY)
    assert await verdict('{"city": "Paris"}', one, two) == "accepted"
    assert await verdict('{"city": 1}', one, two) == "jsonSchema"
    assert await verdict('{"town": 1}', one, two) == "regex"


async def test_with_checks_a_stream_is_held_and_given_whole() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text('{"city": "Paris"}'))
        router = cascade(desk, small, large, JsonSchemaCheck(json_schema=CITY))
        reply = await router.answer(ask(stream=True), CALLER)
    assert reply.events is None
    assert reply.whole is not None
    assert "stream" not in small.requests[0].json or not small.requests[0].json["stream"]


async def test_the_last_stage_streams_even_with_checks() -> None:
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text("Paris"))
        large.answer(text("from large"))
        reply = await cascade(desk, small, large, JsonSchemaCheck(json_schema=CITY)).answer(ask(stream=True), CALLER)
        assert reply.events is not None
        await reply.events.aclose()


async def test_confidence_and_checks_must_both_hold() -> None:
    rule = Confidence(threshold=0.8)
    async with Scripted() as small, Scripted() as large, calling() as desk:
        small.answer(text(["12 EUR"], logprobs=[-4.0]), text(["none"], logprobs=[-0.01]))
        large.otherwise(text())
        router = cascade(desk, small, large, RegexCheck(pattern="EUR"), confidence=rule)
        assert [(await router.answer(ask(), CALLER)).attempts[0].verdict for _ in range(2)] == ["unsure", "regex"]


async def http_verdict(behaviour: Behaviour, *, secrets: dict[str, str] | None = None, **fields: Any) -> str | None:
    async with Scripted() as small, Scripted() as large, Scripted() as judge, calling(secrets) as desk:
        small.answer(text("12 EUR"))
        large.answer(text("from large"))
        judge.answer(behaviour)
        check = HttpCheck(url=judge.origin + "/judge", **fields)
        reply = await cascade(desk, small, large, check).answer(ask("How much?"), CALLER)
        if judge.requests:
            sent = judge.requests[0]
            assert sent.path == "/judge"
            assert sent.json["answer"] == "12 EUR"
            assert sent.json["request"]["messages"][0]["content"] == "How much?"
            assert sent.json["response"]["choices"]
            assert sent.headers.get("authorization") == ("Bearer judges-key" if secrets else None)
        return reply.attempts[0].verdict


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (json_body({"accept": True}), "accepted"),
        (json_body({"accept": False}), "http"),
        (json_body({"accept": "yes"}), "http"),
        (json_body([True]), "http"),
        (json_body({"accept": True}, status=500), "http"),
        (error(404), "http"),
        (raw_body(b"{"), "http"),
        (raw_body(b'{"accept": true, "x": "' + b"x" * 70_000 + b'"}'), "http"),
    ],
    ids=["yes", "no", "a word", "a list", "500 and yes", "404", "no JSON", "too long"],
)
async def test_http(behaviour: Behaviour, expected: str) -> None:
    assert await http_verdict(behaviour) == expected


async def test_http_that_does_not_answer_in_time() -> None:
    assert await http_verdict(stall(), timeout=0.05) == "http"


async def test_http_with_a_credential() -> None:
    key = Credential(secret="judge", key="key")
    yes = json_body({"accept": True})
    secrets = {"SLUICE_SECRET_JUDGE_KEY": "judges-key"}
    assert await http_verdict(yes, secrets=secrets, credential=key) == "accepted"
    assert await http_verdict(yes, credential=key) == "http"


async def test_http_goes_through_the_egress_guard() -> None:
    async with Scripted() as judge, calling(guard=Guard()) as desk:
        check = HttpCheck(url=judge.origin + "/judge")
        checks = Checks([check], desk.courier)
        whole = {"choices": [{"message": {"content": "x"}}]}
        assert await checks.refused(ask(), whole) == "http"
        assert judge.count == 0


async def test_http_goes_by_the_client_of_the_moment() -> None:
    async with Scripted() as judge, calling(guard=Guard()) as desk:
        judge.answer(json_body({"accept": True}))
        checks = Checks([HttpCheck(url=judge.origin + "/judge")], desk.courier)
        desk.courier.client = Client(Guard(loopback=True))
        try:
            assert await checks.refused(ask(), {"choices": [{"message": {"content": "x"}}]}) is None
        finally:
            await desk.courier.client.close()


async def test_a_reference_outside_of_a_schema_is_never_fetched() -> None:
    async with Scripted() as elsewhere:
        schema = {"$ref": elsewhere.origin + "/schema.json"}
        assert await verdict('{"city": "Paris"}', JsonSchemaCheck(json_schema=schema)) == "jsonSchema"
        assert elsewhere.count == 0


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (RegexCheck(pattern="("), "check regex"),
        (JsonSchemaCheck(json_schema={"type": "nothing"}), r"check jsonSchema, at \$.type"),
        (HttpCheck(url="ftp://x"), "scheme must be http"),
    ],
)
def test_a_check_that_can_never_run_is_refused_at_once(check: Check, message: str) -> None:
    checks: Sequence[Check] = [check]
    with pytest.raises(ValueError, match=message):
        Checks(checks, Calling({}, Guard()).courier)


async def test_a_deep_answer_is_refused_not_fatal() -> None:
    schema = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    deep = "[" * 900 + "]" * 900
    assert orjson.loads(deep)
    assert await verdict(deep, JsonSchemaCheck(json_schema=schema)) == "jsonSchema"
