"""Recorded asks and answers, one JSON object a line: read strictly, every problem with its line."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import regex

from sluice_sidecar.ask import Ask, Caller, Problem, Usage
from sluice_sidecar.cache.answers.failure import is_failure
from sluice_sidecar.cache.fingerprint import Fingerprint, fingerprint
from sluice_sidecar.config import Backend, Policy, Route, Single
from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT

MAX_BYTES = 1024 * 1024 * 1024
MAX_PROBLEMS = 20
"""Problems that are told; of the others the number."""

_FIELDS = frozenset({"text", "answer", "request", "response", "at", "tenant", "took"})
_DIGEST = re.compile(r"[0-9a-f]{32}")
_ROUTE = Route(
    name="tune", models=("*",), strategy=Single(backend="tune"), reference="tune",
    backends={"tune": Backend(name="tune", url="http://localhost")},
)  # fmt: skip
"""Stands for the route that answered: the model's name is part of each request, so routes stay apart all the same."""


class DataError(Exception):
    """The data cannot be used; the text has a line for each problem."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One ask and the answer that a model gave to it."""

    line: int
    fp: Fingerprint
    whole: Mapping[str, Any]
    """The answer as the model's endpoint gives it."""
    answer: str
    tenant: str = ""
    at: float | None = None
    """When it was asked, unix seconds."""
    took: float | None = None
    """What the call took, seconds."""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """What of a file can be used. `left_out`: why other lines are not, and how many of each."""

    asks: Sequence[Recorded]
    lines: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        """Whether it is known when each was asked; then they are in that order."""
        return bool(self.asks) and self.asks[0].at is not None


class _LineError(Exception):
    """What is wrong with a line, and how to mend it."""


class _Unusable(Exception):  # noqa: N818  (it says what the line is)
    """Why the cache would have had nothing of this call."""


def content(path: Path) -> bytes:
    """What a file holds. Raises DataError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES // 2**20} MB; give a part of it")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def read(path: str, lines: bytes, policy: Policy) -> Data:
    """Reads lines, of `path` or wherever that says, as `policy` would see their asks. Raises DataError."""
    asks: list[Recorded] = []
    problems: list[str] = []
    left_out: Counter[str] = Counter()
    used = 0
    for number, raw in enumerate(lines.split(b"\n"), 1):
        if not raw.strip():
            continue
        used += 1
        try:
            asks.append(_recorded(number, raw, policy))
        except _LineError as error:
            problems.append(f"{path}:{number}: {error}")
        except _Unusable as unusable:
            left_out[str(unusable)] += 1
    problems += _times(path, asks)
    if problems:
        more = len(problems) - MAX_PROBLEMS
        raise DataError("\n".join(problems[:MAX_PROBLEMS] + ([f"and {more} more problems"] if more > 0 else [])))
    if not asks:
        why = "; ".join(f"{count} lines left out: {reason}" for reason, count in left_out.items()) or "it is empty"
        raise DataError(f"{path}: holds no ask that can be used: {why}")
    if asks[0].at is not None:
        asks.sort(key=lambda ask: ask.at or 0.0)
    return Data(tuple(asks), used, dict(left_out))


def _times(path: str, asks: Sequence[Recorded]) -> list[str]:
    without = [ask.line for ask in asks if ask.at is None]
    if not without or len(without) == len(asks):
        return []
    return [f"{path}:{without[0]}: at: missing, while other lines have one; give it to all lines or to none"]


def _recorded(number: int, raw: bytes, policy: Policy) -> Recorded:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _LineError(f"not JSON: {error}; each line is one JSON object") from None
    if type(line) is not dict:
        raise _LineError('not an object; write {"text": ..., "answer": ...} or {"request": ..., "response": ...}')
    if "key" in line and "scope" in line:
        return _exported(number, line)
    if unknown := sorted(line.keys() - _FIELDS):
        raise _LineError(f"{unknown[0]}: unknown field; known are {', '.join(sorted(_FIELDS))}")
    at, took = _number(line, "at"), _number(line, "took")
    tenant = line.get("tenant", "")
    if type(tenant) is not str:
        raise _LineError("tenant: must be text")
    ask, whole = _exchange(line)
    dialect = ask.dialect
    if ask.bypass:
        raise _Unusable(f"asks that the cache never answers ({ask.bypass})")
    finish = dialect.finish(dict(whole))
    answer = dialect.answer_text(dict(whole))
    if finish not in ("complete", "unknown"):
        raise _Unusable({"truncated": "truncated answers", "filtered": "refused answers"}.get(finish, "tool calls"))
    if why := is_failure(answer):
        raise _Unusable(f"answers that are none ({why})")
    try:
        fp = fingerprint(ask, _ROUTE, policy, Caller(tenant))
    except regex.error as error:
        raise DataError(f"the policy's fingerprint.ignore has a malformed expression: {error}") from None
    return Recorded(number, fp, whole, answer, tenant, at, took, dialect.usage(dict(whole)))


def _exported(number: int, line: dict[str, Any]) -> Recorded:
    """A line of `sluice cache export`: a stored answer, with the digests that its ask had."""
    for name in ("key", "scope"):
        if type(line[name]) is not str or _DIGEST.fullmatch(line[name]) is None:
            raise _LineError(f"{name}: must be 32 hex digits, as `sluice cache export` writes them")
    whole, text, tenant = line.get("answer"), line.get("text"), line.get("tenant", "")
    if type(whole) is not dict or not isinstance(text, str | None) or type(tenant) is not str:
        raise _LineError("not a line of `sluice cache export`: answer is an object, text a text or null, tenant a text")
    dialect: Dialect = ANTHROPIC_MESSAGES if whole.get("type") == "message" else OPENAI_CHAT
    answer = dialect.answer_text(whole)
    if why := is_failure(answer):
        raise _Unusable(f"answers that are none ({why})")
    fp = Fingerprint(line["scope"], line["key"], text, dialect)
    return Recorded(
        number, fp, whole, answer, tenant, _number(line, "created"), _number(line, "took"), dialect.usage(whole)
    )


def _number(line: Mapping[str, Any], name: str) -> float | None:
    value = line.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise _LineError(f"{name}: must be a number of seconds, 0 or more; got {str(value)[:40]!r}")
    return float(value)


def _exchange(line: Mapping[str, Any]) -> tuple[Ask, Mapping[str, Any]]:
    plain, logged = "text" in line or "answer" in line, "request" in line or "response" in line
    if plain == logged:
        raise _LineError("give text and answer, or request and response")
    for name in ("text", "answer") if plain else ("request", "response"):
        if name not in line:
            raise _LineError(f"{name}: missing")
        if type(line[name]) is not (str if plain else dict):
            raise _LineError(f"{name}: must be {'text' if plain else 'an object'}")
    if plain:
        body = {"model": "recorded", "messages": [{"role": "user", "content": line["text"]}]}
        message = {"role": "assistant", "content": line["answer"]}
        whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        return _parsed(OPENAI_CHAT, body), whole
    response = line["response"]
    if type(response.get("choices")) is list and response["choices"]:
        return _parsed(OPENAI_CHAT, line["request"]), response
    if type(response.get("content")) is list:
        return _parsed(ANTHROPIC_MESSAGES, line["request"]), response
    raise _LineError(
        "response: neither OpenAI's (choices) nor Anthropic's (content); give the whole answer, not a stream's chunks"
    )


def _parsed(dialect: Dialect, body: dict[str, Any]) -> Ask:
    try:
        return dialect.parse(orjson.dumps(body), body)
    except Problem as problem:
        raise _LineError(f"request: {problem.message}") from None
