"""What a route does with the system prompts of its requests: rewrites, a token budget, and notes for the inventory.

On the path stand a comparison with known prompts and an append to a bounded ring; all else is done once a second, away
from it (`Desk`).
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sluice_sidecar.ask import Ask, Caller, Problem
from sluice_sidecar.audit.prompts import prompts
from sluice_sidecar.audit.rewrites import Rewrites
from sluice_sidecar.audit.tokens import Count
from sluice_sidecar.config import Route
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.route.reply import Reply

RING = 4096
"""Requests that wait to be looked at; beyond it they are counted and not looked at."""
RING_BYTES = 67_108_864
"""The same for the bytes of their bodies."""

log = logging.getLogger("sluice.audit")


@dataclass(slots=True)
class Passage:
    """One request's way through the rules. `before` is what the application sent, `ask` what goes on."""

    route: Route
    tenant: str
    before: Ask
    ask: Ask
    names: tuple[str, ...] = ()
    """Rewrites that were made."""
    without: tuple[str, ...] = ()
    """Rewrites that fit, and that this request is not among the share of."""
    over: Count | None = None
    """How long the prompts are, where that is beyond the budget."""
    stopped: set[str] = field(default_factory=set)
    """Where the rules that it went by look up which rewrites are not made any more."""
    reply: Reply | None = None
    """What came from upstream; None where the cache answered, or nobody."""
    decision: Decision | None = None

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the caller is told."""
        told = []
        if self.names:
            told.append((b"x-sluice-prompt", ", ".join(self.names).encode()))
        if self.over is not None:
            told.append((b"x-sluice-prompt-tokens", b"%d" % self.over.tokens))
        return told


class Ring:
    """Passages that are over and wait to be looked at, in the order they came; bounded."""

    __slots__ = ("_bytes", "_waiting", "lost")

    def __init__(self) -> None:
        self._waiting: deque[Passage] = deque()
        self._bytes = 0
        self.lost = 0
        """Those that found it full."""

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, passage: Passage) -> None:
        """Takes one; it costs no more than this."""
        size = len(passage.before.raw)
        if len(self._waiting) >= RING or (self._bytes and self._bytes + size > RING_BYTES):
            self.lost += 1
            return
        self._bytes += size
        self._waiting.append(passage)

    def taken(self) -> list[Passage]:
        """All that wait, once."""
        found, self._waiting, self._bytes = self._waiting, deque(), 0
        return list(found)


@dataclass(slots=True)
class Tally:
    """Counts of one route for the metrics: rewritten requests, those over budget, and of these the rejected."""

    rewritten: int = 0
    over: int = 0
    rejected: int = 0


@dataclass(slots=True)
class Governed:
    """The rules of one route in their running form. `count` tells what is known of a text's length."""

    route: Route
    ring: Ring
    count: Callable[[str], Count]
    tally: Tally = field(default_factory=Tally)
    stopped: set[str] = field(default_factory=set)
    """Names of rewrites that the guard stopped."""
    _rewrites: Rewrites | None = field(init=False)
    _warned: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        rules = self.route.prompt
        self._rewrites = Rewrites(rules.rewrites) if rules is not None and rules.rewrites else None

    def enter(self, ask: Ask, caller: Caller) -> Passage:
        """The request after the rules. Raises Problem(400) where its prompts are beyond a budget that rejects."""
        passage = Passage(self.route, caller.tenant, ask, ask, stopped=self.stopped)
        if self._rewrites is not None:
            done = self._rewrites.apply(ask, caller.tenant, self.stopped)
            passage.ask, passage.names, passage.without = done.ask, done.names, done.without
            self.tally.rewritten += bool(done.names)
        rules = self.route.prompt
        if rules is not None and rules.max_tokens is not None:
            self._weigh(passage, rules.max_tokens, rejects=rules.on_exceed == "Reject")
        return passage

    def leave(self, passage: Passage, decision: Decision) -> None:
        """Notes how it ended."""
        passage.decision = decision
        self.ring.append(passage)

    def _weigh(self, passage: Passage, budget: int, *, rejects: bool) -> None:
        texts = prompts(passage.ask)
        # No token is shorter than a byte, and no character longer than four: most prompts need no count.
        if 4 * sum(map(len, texts)) <= budget:
            return
        counts = [self.count(text) for text in texts]
        total = Count(sum(one.tokens for one in counts), all(one.exact for one in counts))
        if total.tokens <= budget:
            return
        self.tally.over += 1
        passage.over = total
        about = "" if total.exact else "about "
        if rejects:
            self.tally.rejected += 1
            raise Problem(
                400,
                "prompt_too_long",
                f"The system prompt has {about}{total.tokens} tokens; this route takes up to {budget}. Shorten it.",
                param="system" if passage.ask.dialect.family == "anthropic" else "messages",
            )
        mark = hash(texts)
        if mark not in self._warned and len(self._warned) < RING:  # once a prompt
            self._warned.add(mark)
            log.warning(
                "a system prompt on route %s has %s%d tokens, beyond its budget of %d",
                self.route.name, about, total.tokens, budget,
            )  # fmt: skip
