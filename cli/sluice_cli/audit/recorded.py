"""Recorded requests as samples: read from JSON lines, redacted before anything else sees them.

A line is a chat request in OpenAI's shape, `{"messages": [...], "answer": "...", "expected": "..."}` with options such
as temperature beside them, or `{"request": {...}, "response": {...}}` as a gateway's log or a client's has them.
A sample's id is a digest of what is asked, so that a checkpoint never takes one request's answer for another's.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sluice_sidecar.audit.model import Prompt, Sample
from sluice_sidecar.audit.prompts import SYSTEM
from sluice_sidecar.audit.redaction import Redaction
from sluice_sidecar.audit.sections import prompt

OPTIONS = frozenset(
    (
        "temperature", "top_p", "max_tokens", "max_completion_tokens", "response_format", "tools", "tool_choice",
        "parallel_tool_calls", "stop", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort",
    )
)  # fmt: skip
"""Options that change an answer. Others, such as `user` and `metadata`, say who asked: they are left out."""
SHOWN = 3
"""Wrong lines that an error tells."""


class RecordedError(Exception):
    """What cannot be used of the recorded requests, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One prompt with the requests that were sent under it."""

    prompt: Prompt
    samples: tuple[Sample, ...]
    others: int = 0
    """Requests under other prompts, which are left out."""


@dataclass(frozen=True, slots=True)
class _Line:
    system: str | None
    messages: tuple[Mapping[str, Any], ...]
    answer: str
    expected: str | None
    options: Mapping[str, Any]
    tenant: str
    at: float


def recorded(lines: Iterable[bytes], text: str | None, kinds: Iterable[str], most: int | None = None) -> Recorded:
    """The samples of the prompt `text`; None takes the one that most requests have. `kinds` are blacked out.

    Requests without a system prompt count for a `text` that was given. `most` keeps the newest, by `at`, else by place.
    Raises RecordedError.
    """
    read = list(_read(lines))
    if not read:
        raise RecordedError("there is no request in it; record some, one JSON object a line")
    if text is None:
        counts = Counter(line.system for line in read if line.system is not None)
        if not counts:
            raise RecordedError("no request has a system prompt: give it with --prompt FILE")
        text = counts.most_common(1)[0][0]
        mine = [line for line in read if line.system == text]
    else:
        exact = {line.system for line in read}
        if text not in exact and text.rstrip("\n") in exact:  # editors end a file with a line feed
            text = text.rstrip("\n")
        mine = [line for line in read if line.system in (None, text)]
        if not mine:
            raise RecordedError(
                f"none of the {len(read)} requests has this system prompt: it was changed, or they are another "
                "application's; record again, or leave --prompt out to audit the prompt that they have"
            )
    wanted = frozenset(kinds)
    given = prompt(text)
    newest = sorted(enumerate(mine), key=lambda pair: (pair[1].at, pair[0]))
    kept = [line for _, line in (newest if most is None else newest[-most:])]
    return Recorded(given, tuple(_samples(given, kept, wanted)), len(read) - len(mine))


def _samples(given: Prompt, lines: Iterable[_Line], kinds: frozenset[str]) -> Iterator[Sample]:
    seen: Counter[str] = Counter()
    for line in lines:
        redaction = Redaction(kinds)
        messages = tuple(redaction.value(dict(message)) for message in line.messages)
        answer = redaction.text(line.answer)
        expected = None if line.expected is None else redaction.text(line.expected)
        asked = json.dumps([messages, expected, line.options], sort_keys=True).encode()
        name = sha256(asked).hexdigest()[:16]
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}-{seen[name]}"
        yield Sample(name, given.digest, line.tenant, line.at, messages, answer, expected, line.options)


def _read(lines: Iterable[bytes]) -> Iterator[_Line]:
    wrong: list[str] = []
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            yield _line(json.loads(raw))
        except (ValueError, RecursionError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f"\nand {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise RecordedError("\n".join(wrong[:SHOWN]) + more)


def _line(given: Any) -> _Line:
    """Raises ValueError."""
    if not isinstance(given, dict):
        raise ValueError('not a JSON object such as {"messages": [...]}')
    request = given.get("request", given)
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise ValueError('no "messages", a list of objects with role and content')
    systems = [one for one in messages if one.get("role") in SYSTEM]
    if len(systems) > 1:
        raise ValueError(f"{len(systems)} system messages; an audit is of requests with one")
    rest = tuple(one for one in messages if one.get("role") not in SYSTEM)
    if not rest:
        raise ValueError("no message beside the system prompt")
    answer, expected = given.get("answer"), given.get("expected")
    if answer is None:
        answer = _answered(given.get("response"))
    at = given.get("at", 0.0)
    return _Line(
        _system(systems[0]) if systems else None,
        rest,
        answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False),
        None if expected is None else expected if isinstance(expected, str) else json.dumps(expected),
        {name: value for name, value in request.items() if name in OPTIONS},
        str(given.get("tenant", "")),
        float(at) if isinstance(at, int | float) else 0.0,
    )


def _system(message: Mapping[str, Any]) -> str:
    """Raises ValueError."""
    content = message.get("content")
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0].get("text")
    if not isinstance(content, str):
        raise ValueError("a system prompt that is not one text")
    return content


def _answered(response: Any) -> str:
    try:
        content = response["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""
