"""Answers that come from elsewhere: lines of JSON, stored as if a live request had just been answered so."""

import asyncio
import math
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from sluice_sidecar.ask import Caller, Problem, Usage
from sluice_sidecar.cache.fingerprint import Fingerprint, fingerprint
from sluice_sidecar.cache.ttl import lifetime
from sluice_sidecar.callers import ANYONE
from sluice_sidecar.config import Policy
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.fetch import unfit
from sluice_sidecar.serving import Serving

if TYPE_CHECKING:  # a gateway without a cache never loads one
    from sluice_sidecar.cache.cache import Cache
    from sluice_sidecar.cache.entry import Entry

LINES = 1_000
"""Most lines of one call."""
PATH = "/v1/chat/completions"
"""Where a line without a path was asked."""

_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken: its number from 1, the field, what is wrong with it and what to do."""

    line: int
    field: str
    message: str


@dataclass(slots=True)
class Taken:
    """What became of a batch. `known`: the cache had an answer that is not older. `expired`: no life was left."""

    stored: int = 0
    known: int = 0
    expired: int = 0
    refused: list[Refused] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class _Wrong(ValueError):  # noqa: N818  (it says what a line is)
    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = where, message


@dataclass(frozen=True, slots=True)
class _Answered:
    """One line, read."""

    print: Fingerprint
    tenant: str
    answer: dict[str, Any]
    usage: Usage
    backend: str
    took: float
    created: float | None
    life: float | None
    """Most seconds from `created` on, where the line says so."""


async def take(cache: "Cache", serving: Serving, policy: Policy, raw: bytes) -> Taken:
    """Stores what the lines of a batch say, and goes on after a wrong one.

    A line is an exchange, {"request", "response"} and where needed "path", "tenant", "headers", "created", "took" and
    "backend"; or an entry as `exported` writes it. Raises Problem(413) for too many lines, StoreError.
    """
    lines = raw.split(b"\n")
    if len(lines) > LINES:
        raise Problem(413, "too_many_lines", f"{len(lines)} lines in one call; send {LINES} at most.")
    taken = Taken()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            await _store(cache, policy, _read(line, serving, policy), taken)
        except _Wrong as wrong:
            taken.refused.append(Refused(number, wrong.field, wrong.message))
        await asyncio.sleep(0)  # callers are waiting as well
    return taken


async def _store(cache: "Cache", policy: Policy, one: _Answered, taken: Taken) -> None:
    now = time.time()
    created = now if one.created is None else min(one.created, now)
    if lifetime(policy, created, max_age=one.life, share=lambda: 0.0)[1] <= now:
        taken.expired += 1
        return
    if (size := len(orjson.dumps(one.answer))) > policy.limits.answer_bytes:
        most = f"{policy.limits.answer_bytes} (limits.answerBytes)"
        raise _Wrong("response", f"{size} bytes are more than the policy keeps of an answer, {most}")
    made = await cache.made(one.print, policy)
    if made is not None and made >= created:
        taken.known += 1
        return
    look = await cache.around(one.print, policy)
    kept = await cache.put(
        one.print, policy, Caller(one.tenant), whole=one.answer, usage=one.usage, backend=one.backend, took=one.took,
        max_age=one.life, look=look, created=created,
    )  # fmt: skip
    if kept:
        taken.stored += 1
    else:
        taken.expired += 1


def _read(raw: bytes, serving: Serving, policy: Policy) -> _Answered:
    try:
        line = orjson.loads(raw)
    except ValueError as error:
        raise _Wrong("", f"it is not JSON: {error}") from None
    if not isinstance(line, dict):
        raise _Wrong("", 'it is not an object: write {"request": {...}, "response": {...}}')
    return _entry(line, policy) if "key" in line else _exchange(line, serving, policy)


def _exchange(line: dict[str, Any], serving: Serving, policy: Policy) -> _Answered:
    """An exchange, with the fingerprint that the request would have here and now."""
    path = _text(line, "path", PATH)
    dialect = BY_PATH.get(path)
    if dialect is None:
        raise _Wrong("path", f"{path[:100]!r} is not served: {', '.join(BY_PATH)}")
    request, answer = _object(line, "request"), _object(line, "response")
    try:
        ask = dialect.parse(orjson.dumps(request), request)
        served = serving.find(ask.model, None)
    except Problem as problem:
        raise _Wrong(f"request.{problem.param}" if problem.param else "request", problem.message) from None
    except TypeError:
        raise _Wrong("request", "it is nested too deeply") from None
    if served.policy is None or served.policy.name != policy.name:
        has = f"CachePolicy {served.policy.name}" if served.policy else "no CachePolicy"
        raise _Wrong("request.model", f"its route {served.route.name} has {has}, not {policy.name}")
    if ask.bypass is not None:
        raise _Wrong("request", f"such a request is never answered from the cache: {ask.bypass}")
    if (why := unfit(dialect, policy, answer)) is not None:
        raise _Wrong("response", f"not an answer to keep: {why}")
    tenant = _tenant(line, serving, policy)
    headers = {name.lower().encode("latin-1", "replace"): value for name, value in _headers(line)}
    try:
        print_ = fingerprint(ask, served.route, policy, Caller(tenant, headers))
    except TypeError:
        raise _Wrong("request", "it is nested too deeply") from None
    # OpenAI's answers say themselves when they were given.
    created = _number(line, "created") if "created" in line else _number(answer, "created", "response.created")
    return _Answered(
        print_, tenant, answer, dialect.usage(answer) or Usage(), _text(line, "backend", served.route.reference),
        _number(line, "took") or 0.0, created, None,
    )  # fmt: skip


def _tenant(line: dict[str, Any], serving: Serving, policy: Policy) -> str:
    """Whose it is: who can be told apart must be named, as nobody else would find it."""
    known, told = serving.callers.tenants, _text(line, "tenant", "")
    if policy.partition == "None":
        return told or ANYONE
    if not told and len(known) == 1:
        return next(iter(known))
    if not told:
        raise _Wrong("tenant", "there are several tenants here: say whose it is")
    if told not in known:
        cure = "leave it out" if len(known) == 1 else "name one that has an API key"
        raise _Wrong("tenant", f"nobody here asks as {told[:100]!r}, so nobody would find it: {cure}")
    return told


def exported(entry: "Entry") -> bytes:
    """An entry as a line, which another gateway with the same routes and policy takes in. No request: none is kept."""
    return orjson.dumps(
        {
            "key": entry.key, "scope": entry.scope, "tenant": entry.tenant, "policy": entry.policy, "text": entry.text,
            "answer": orjson.Fragment(entry.body), "created": entry.created, "expires": entry.expires,
            "group": entry.group, "backend": entry.backend, "took": entry.took, "usage": asdict(entry.usage),
        }
    ) + b"\n"  # fmt: skip


def _entry(line: dict[str, Any], policy: Policy) -> _Answered:
    """An exported entry. Its digests are taken as they are: under other routes nothing would ever find it."""
    for name in ("key", "scope"):
        if _DIGEST.fullmatch(_text(line, name, "")) is None:
            raise _Wrong(name, "32 hex digits, lower case, belong here, as `sluice cache export` wrote them")
    if (of := _text(line, "policy", policy.name)) != policy.name:
        raise _Wrong("policy", f"it belongs to CachePolicy {of[:100]}, not {policy.name}: policies never share")
    text = line.get("text")
    if not isinstance(text, str | None):
        raise _Wrong("text", "a text or null belongs here")
    answer, created = _object(line, "answer"), _number(line, "created")
    dialect = _dialect(answer)
    if (why := unfit(dialect, policy, answer)) is not None:
        raise _Wrong("answer", f"not an answer to keep: {why}")
    expires = _number(line, "expires")
    life = None if created is None or expires is None else max(expires - created, 0.0)
    print_ = Fingerprint(line["scope"], line["key"], text, dialect)
    return _Answered(
        print_, _text(line, "tenant", ANYONE), answer, dialect.usage(answer) or Usage(), _text(line, "backend", ""),
        _number(line, "took") or 0.0, created, life,
    )  # fmt: skip


def _dialect(answer: dict[str, Any]) -> Dialect:
    """By whose wire an answer was given."""
    shape = "/v1/messages" if answer.get("type") == "message" else PATH
    return BY_PATH["/v1/embeddings" if answer.get("object") == "list" else shape]


def _object(line: dict[str, Any], name: str) -> dict[str, Any]:
    value = line.get(name)
    if not isinstance(value, dict):
        raise _Wrong(name, "an object belongs here: the body as it was sent" if name in line else "it is missing")
    return value


def _text(line: dict[str, Any], name: str, default: str) -> str:
    value = line.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _Wrong(name, "a text belongs here")
    return value


def _number(line: dict[str, Any], name: str, where: str = "") -> float | None:
    """Seconds, of a time or a span."""
    value = line.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _Wrong(where or name, "seconds belong here, as a number that is not negative")
    return float(value)


def _headers(line: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    headers = line.get("headers")
    if headers is None:
        return
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _Wrong("headers", "an object of texts belongs here: header names and values")
    for name, value in headers.items():
        yield name, value.encode("latin-1", "replace")
