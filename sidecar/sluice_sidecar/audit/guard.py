"""Watches a rewrite that only a share of the conversations gets, and stops it when it does harm.

The n-th answer with it and the n-th without it are a pair: its loss is 1 where only the shorter prompt's answer went
wrong, -1 where only the other did. What goes wrong is what can be seen without a judge: an error, an answer that was
cut short or filtered, and JSON that was asked for and is none or does not fit its schema. "The mean loss is `MARGIN` at
most" is tested as in `noninferiority`, the other way round: it is refuted wrongly with probability `ALPHA` at most,
however often one looks, if pairs do not depend on each other. Turns of one conversation do, as they get the same
wording: long conversations make a wrong stop likelier than that, which costs tokens and no answer. A rewrite that all
conversations get has nobody to be compared with, and is not watched.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice_sidecar.ask import Ask
from sluice_sidecar.audit.governance import Passage
from sluice_sidecar.audit.noninferiority import SequentialTest

MARGIN = 0.02
ALPHA = 0.05
WAITING = 10_000
"""Answers of one side that wait for one of the other."""
LEFT = frozenset({"caller_left", "caller_too_slow", "gateway_stopped"})
"""Errors that say nothing of the answer."""


@dataclass(slots=True)
class Watch:
    """What is known of one rewrite."""

    test: SequentialTest = field(default_factory=lambda: SequentialTest(-MARGIN, ALPHA))
    answers: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    wrong: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """With it (True) and without it."""
    _waiting: dict[bool, deque[bool]] = field(
        default_factory=lambda: {True: deque(maxlen=WAITING), False: deque(maxlen=WAITING)}
    )

    @property
    def harmful(self) -> bool:
        """Whether it is shown to lose more than the margin."""
        return self.test.shown

    def take(self, *, with_it: bool, wrong: bool) -> None:
        """Takes in one answer."""
        self.answers[with_it] += 1
        self.wrong[with_it] += wrong
        others = self._waiting[not with_it]
        if not others:
            self._waiting[with_it].append(wrong)
            return
        other = others.popleft()
        short, full = (wrong, other) if with_it else (other, wrong)
        self.test.feed(float(full) - float(short))

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "with": {"answers": self.answers[True], "wrong": self.wrong[True]},
            "without": {"answers": self.answers[False], "wrong": self.wrong[False]},
            "pairs": self.test.count,
            "p_value": self.test.p_value,
            "margin": MARGIN,
        }


def wrong(passage: Passage) -> bool | None:
    """Whether an answer visibly went wrong; None where nothing can be said: the cache gave it, or the caller left."""
    decision, reply = passage.decision, passage.reply
    if decision is None or decision.error in LEFT:
        return None
    if reply is None:
        return True if decision.attempts and decision.error is not None else None
    if decision.error is not None or reply.failed is not None or reply.status >= 500:
        return True
    if reply.status != 200:
        return None if reply.status == 429 else True
    whole = answered(passage)
    if whole is None:
        return None
    dialect = passage.ask.dialect
    if dialect.finish(whole) in ("truncated", "filtered"):
        return True
    return not fits(passage.ask, dialect.answer_text(whole))


def answered(passage: Passage) -> dict[str, Any] | None:
    """The whole answer of a request, where there is one."""
    reply = passage.reply
    if reply is None or reply.status != 200 or reply.failed is not None:
        return None
    if reply.whole is not None:
        return reply.whole
    try:
        return None if reply.assembler is None else reply.assembler.whole()
    except ValueError:
        return None


def fits(ask: Ask, text: str) -> bool:
    """Whether an answer is the JSON that was asked for; True where none was."""
    wanted = ask.body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("json_object", "json_schema"):
        return True
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if kind == "json_object":
        return isinstance(value, dict)
    given = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = given.get("schema") if isinstance(given, dict) else None
    if not isinstance(schema, dict):
        return True
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        return bool(Draft202012Validator(schema).is_valid(value))
    except (SchemaError, Unresolvable, TypeError, RecursionError):  # the schema is the caller's own affair
        return True
