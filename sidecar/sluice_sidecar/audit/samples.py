"""A fair sample of real requests under each prompt, redacted before anything of them is kept.

Of the n-th request of a prompt one is kept with probability k/n in place of a random one of the k (Vitter's algorithm
R, Random sampling with a reservoir, ACM TOMS 1985), so each request since the start is as likely to be there; after a
restart newer ones are likelier, as counting begins with what is kept. A tenant that
gave no consent, an answer that failed, and a request with pictures, files or more than `LONGEST` characters are not
taken: what is not text cannot be redacted.
"""

from collections.abc import Iterator, Mapping
from random import SystemRandom
from typing import Any

from sluice_sidecar.ask import Ask
from sluice_sidecar.audit.governance import Passage
from sluice_sidecar.audit.model import Sample, digest
from sluice_sidecar.audit.prompts import followed, prompts
from sluice_sidecar.audit.records import Records
from sluice_sidecar.audit.redaction import LONGEST as READ
from sluice_sidecar.audit.redaction import Redaction
from sluice_sidecar.config import AuditSampling
from sluice_sidecar.dialects.slot import text_of

LONGEST = READ
"""Characters of one text: a longer one would be cut by the redaction, and the sample with it."""
PROMPTS = 64
"""Prompts of one route that are sampled: the first ones; a template's wordings that never come back fill no disk."""
OPTIONS = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "response_format", "tools", "tool_choice",
           "stop", "stop_sequences", "seed")  # fmt: skip
"""What of a request is kept beside its messages: what changes an answer."""
ROLES = ("user", "assistant", "system", "developer")
"""Whose messages are text; the others' are calls of tools and what came of them."""


class Reservoir:
    """The samples of one route, on disk. Not on the requests' path; one thread at a time works with it."""

    def __init__(self, route: str, settings: AuditSampling, records: Records, *, share: int = 1) -> None:
        """`share`: how many workers fill it together."""
        self._route, self._settings, self._records = route, settings, records
        self._most = max(1, settings.requests // share)
        self._random = SystemRandom()
        self._kept: dict[str, list[str]] = {}
        self._seen: dict[str, int] = {}
        for ident, prompt in records.kept(route):
            self._kept.setdefault(prompt, []).append(ident)
            self._seen[prompt] = self._seen.get(prompt, 0) + 1

    def offer(self, passage: Passage, answer: str) -> bool:
        """Keeps a request that was answered so, or not; whether it did."""
        tenants, decision = self._settings.tenants, passage.decision
        if decision is None or not answer or (tenants is not None and passage.tenant not in tenants):
            return False
        taken = False
        for at, text in enumerate(prompts(passage.before)):
            prompt = digest(text)
            if prompt not in self._seen and len(self._seen) >= PROMPTS:
                continue
            seen = self._seen[prompt] = self._seen.get(prompt, 0) + 1
            kept = self._kept.setdefault(prompt, [])
            place = len(kept) if len(kept) < self._most else self._random.randrange(seen)
            if place >= self._most:
                continue
            found = sampled(passage.before, answer, self._settings, at)
            if found is None:
                continue
            ident = f"{decision.id}-{at}"
            instead = kept[place] if place < len(kept) else None
            sample = {"id": ident, "prompt": prompt, "tenant": passage.tenant, "at": decision.at, **found}
            self._records.keep(self._route, sample, decision.at + self._settings.retention, instead=instead)
            kept[place:] = [ident] if instead is None else [ident, *kept[place + 1 :]]
            taken = True
        return taken

    def forget(self, idents: set[str]) -> None:
        """Takes note of what was erased."""
        for kept in self._kept.values():
            kept[:] = [ident for ident in kept if ident not in idents]


def sampled(ask: Ask, answer: str, settings: AuditSampling, prompt: int) -> dict[str, Any] | None:
    """What is kept of a request under its prompt number `prompt`, redacted; None for one that cannot be."""
    others = [{"role": "system", "content": text} for at, text in enumerate(prompts(ask)) if at != prompt]
    messages = [*others, *followed(ask)]
    options = {name: ask.body[name] for name in OPTIONS if name in ask.body}
    if not all(map(_readable, [*messages, options, answer])):
        return None
    redaction = Redaction(settings.redact)
    if any(redaction.text(name) != name for name in _names(options)):  # names of fields are kept as they are
        return None
    return {
        "messages": [_said(message, redaction) for message in messages],
        "answer": redaction.text(answer),
        "options": redaction.value(options),
    }


def read(records: Records, route: str, prompt: str | None = None) -> list[Sample]:
    """The samples that an audit of a route works on, oldest first."""
    return [
        Sample(
            one["id"], one["prompt"], one["tenant"], one["at"], tuple(one["messages"]), one["answer"], None,
            one["options"],
        )
        for one in records.samples(route, prompt)
    ]  # fmt: skip


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _said(message: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    content = message.get("content")
    said = content if isinstance(content, str) else "\n".join(text_of(part) or "" for part in content or ())
    return {"role": message["role"], "content": redaction.text(said)}


def _readable(value: Any) -> bool:
    """Whether all of it is text that the redaction reads whole."""
    if isinstance(value, str):
        return len(value) <= LONGEST
    if isinstance(value, Mapping):
        if "role" in value:
            content = value.get("content")
            if value["role"] not in ROLES:
                return False
            if isinstance(content, list):
                return all(text_of(part) is not None and _readable(part["text"]) for part in content)
            return isinstance(content, str) and len(content) <= LONGEST and "tool_calls" not in value
        return all(map(_readable, value.values()))
    return all(map(_readable, value)) if isinstance(value, list) else True
