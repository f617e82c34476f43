"""Downstream quality checks of a cascade: may this stage's answer go to the caller?

Each check is judged on its own, and whatever goes wrong in one, time included, means "no". Patterns and schemas run off
the event loop, and patterns with a deadline, for an answer may have been written to make them slow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from sluice_sidecar.ask import Ask, Problem
from sluice_sidecar.config import Check, HttpCheck, JsonSchemaCheck, RegexCheck
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.request import Timeouts, parse_url
from sluice_sidecar.upstream.target import secret_value

PATTERN_SECONDS = 0.25
"""How long one regular expression may search one answer."""

VERDICT_LIMIT = 65_536
"""Largest answer of an HTTP check, bytes."""

Judge = Callable[[Ask, dict[str, Any]], Awaitable[bool]]
"""Whether a whole answer passes."""


class Checks:
    """All checks of a cascade, ready to run."""

    def __init__(self, checks: Sequence[Check], courier: Courier) -> None:
        """`courier` lends its client and credentials. Raises ValueError for a check that can never run: a broken
        pattern, schema or URL."""
        self._judges = [(check.type, _judge(check, courier)) for check in checks]

    async def refused(self, ask: Ask, whole: dict[str, Any]) -> str | None:
        """The type of the first check that does not accept, in the order given; None when all do."""
        for name, judge in self._judges:
            if not await judge(ask, whole):
                return name
        return None


def _judge(check: Check, courier: Courier) -> Judge:
    if isinstance(check, RegexCheck):
        return _regex(check)
    if isinstance(check, JsonSchemaCheck):
        return _json_schema(check)
    return _http(check, courier)


def _regex(check: RegexCheck) -> Judge:
    import regex

    try:
        pattern = regex.compile(check.pattern)
    except regex.error as error:
        raise ValueError(f"check regex {check.pattern!r}: {error}") from None

    def found(text: str) -> bool:
        try:
            return pattern.search(text, timeout=PATTERN_SECONDS, concurrent=True) is not None
        except TimeoutError:
            return False

    async def judge(ask: Ask, whole: dict[str, Any]) -> bool:
        return await asyncio.to_thread(found, ask.dialect.answer_text(whole))

    return judge


def _json_schema(check: JsonSchemaCheck) -> Judge:
    valid = _validator(check.json_schema)

    async def judge(ask: Ask, whole: dict[str, Any]) -> bool:
        try:
            value = orjson.loads(ask.dialect.answer_text(whole))
        except orjson.JSONDecodeError:
            return False
        return await asyncio.to_thread(valid, value)

    return judge


def _validator(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Draft 2020-12 unless the schema names another; a $ref outside of the schema is never fetched."""
    import regex
    from jsonschema import exceptions, validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    cls = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        cls.check_schema(schema)
    except exceptions.SchemaError as error:
        raise ValueError(f"check jsonSchema, at {error.json_path}: {error.message}") from None

    def pattern(_: Any, wanted: str, instance: Any, __: Any) -> Any:
        # jsonschema's own keyword searches with `re`, which knows no deadline.
        if isinstance(instance, str) and not regex.search(wanted, instance, timeout=PATTERN_SECONDS, concurrent=True):
            yield exceptions.ValidationError(f"does not match {wanted!r}")

    extended = validators.extend(cls, {"pattern": pattern})  # type: ignore[no-untyped-call]
    validator = extended(schema, registry=Registry())

    def valid(value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except (Unresolvable, exceptions.ValidationError, TimeoutError, RecursionError, regex.error):
            return False

    return valid


def _http(check: HttpCheck, courier: Courier) -> Judge:
    origin, path = parse_url(check.url)
    timeouts = Timeouts(check.timeout, check.timeout, check.timeout)

    async def judge(ask: Ask, whole: dict[str, Any]) -> bool:
        headers = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
        body = {"request": ask.body, "answer": ask.dialect.answer_text(whole), "response": whole}
        try:
            if check.credential is not None:
                value = secret_value(courier.credentials, check.credential, f"check {check.url}")
                headers.append((b"authorization", b"Bearer " + value))
            response = await courier.client.send(origin, b"POST", path or b"/", headers, orjson.dumps(body), timeouts)
            try:
                said = orjson.loads(await response.read(VERDICT_LIMIT))
            finally:
                response.abort()
        except (UpstreamError, Problem, ValueError):
            return False
        return 200 <= response.status < 300 and isinstance(said, dict) and said.get("accept") is True

    return judge
