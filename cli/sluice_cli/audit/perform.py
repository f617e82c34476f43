"""Performs one audit from this machine: asks, compares, keeps what was asked, and hands back the report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import httpx

from sluice_cli.audit.asker import Spending, Unusable, asker, prices
from sluice_cli.audit.recorded import Recorded
from sluice_cli.audit.setting import Setting
from sluice_sidecar.audit.audit import Terms, Traffic, audit, enough, estimate
from sluice_sidecar.audit.checkpoint import FileCheckpoint
from sluice_sidecar.audit.compare import Answers, Cosine
from sluice_sidecar.audit.judge import INSTRUCTIONS, Judge
from sluice_sidecar.audit.report import Report
from sluice_sidecar.audit.tokens import Tokens, estimated
from sluice_sidecar.config import Backend
from sluice_sidecar.credentials import SecretSource
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.guard import Guard

SECONDS = 120.0
"""Longest time of one call."""
ANSWER = 200
"""Tokens of an answer that are foreseen where the recorded ones are empty."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an audit takes at most, but for looking into samples that lose."""

    calls: int
    judged: int
    tokens: int
    cost: Decimal | None
    currency: str

    def __str__(self) -> str:
        money = "its price is not known" if self.cost is None else f"{self.cost:.2f} {self.currency}"
        judged = f", and at most {self.judged:,} of the judge" if self.judged else ""
        return f"about {self.calls:,} calls of the model{judged}: {self.tokens:,} tokens, {money}"


@dataclass(frozen=True, slots=True)
class Performed:
    """A report, and what it does not say itself."""

    report: Report
    estimated: bool
    """Whether tokens are estimated."""


def terms(setting: Setting, *, seed: int, width: int, max_calls: int | None, traffic: Traffic | None) -> Terms:
    """As an audit takes them."""
    return Terms(
        margin=setting.margin, confidence=setting.confidence, max_calls=max_calls, max_cost=setting.max_cost,
        prices=prices(setting.against), traffic=traffic, seed=seed, width=width,
    )  # fmt: skip


def foreseen(recorded: Recorded, setting: Setting, under: Terms) -> Estimate:
    """From the lengths of prompt, requests and recorded answers. Nothing for fewer samples than are needed."""
    samples = recorded.samples
    if len(samples) < enough(under):
        return Estimate(0, 0, 0, Decimal(0), under.prices.currency)
    calls = estimate(recorded.prompt, len(samples), under)
    asked = sum(estimated(one.asked()).tokens for one in samples) / len(samples)
    said = sum(estimated(one.answer).tokens for one in samples) / len(samples) or ANSWER
    each = estimated(recorded.prompt.text).tokens + asked
    cost = calls * (Decimal(each) * under.prices.input + Decimal(said) * under.prices.output) / 1_000_000
    tokens, judged = calls * (each + said), 0
    unlabelled = sum(one.expected is None for one in samples)
    if setting.judge is not None and unlabelled:
        judged = round(calls * unlabelled / len(samples))  # half of the calls have another answer, each in two orders
        shown = estimated(INSTRUCTIONS).tokens + asked + 2 * said
        price = prices(setting.judge)
        cost += judged * (Decimal(shown) * price.input + 10 * price.output) / 1_000_000
        tokens += judged * (shown + 10)
    known = setting.against.price is not None and (setting.judge is None or setting.judge.price is not None)
    return Estimate(calls, judged, round(tokens), cost if known else None, under.prices.currency)


def kept_at(work: Path, recorded: Recorded, setting: Setting) -> Path:
    """The checkpoint of an audit: another prompt, model, judge or redaction has another."""
    judge = None if setting.judge is None else (setting.judge.name, setting.judge.model, setting.judge.url)
    against = setting.against.name, setting.against.model, setting.against.url
    name = repr((recorded.prompt.digest, against, judge, sorted(setting.redact)))
    return work / f"{sha256(name.encode()).hexdigest()[:16]}.jsonl"


async def perform(
    recorded: Recorded,
    setting: Setting,
    under: Terms,
    secrets: SecretSource,
    checkpoint: FileCheckpoint,
    *,
    at: Mapping[str, str],
    cosine: Cosine | None,
    told: Callable[[], None],
) -> Performed:
    """`at` gives backends another address; `told` is called after every call. Raises Unusable."""
    limits = httpx.Limits(max_connections=max(8, under.width))
    async with httpx.AsyncClient(timeout=SECONDS, limits=limits) as client:
        ask = asker(setting.against, secrets, client, setting.model, at.get(setting.against.name))
        ask.told = told
        judge, spending = None, Spending(prices(setting.against), under.max_cost)
        if setting.judge is not None:
            judging = asker(setting.judge, secrets, client, setting.model, at.get(setting.judge.name))
            spending = Spending(prices(setting.judge), under.max_cost)
            judge = Judge(judging.judging(spending), f"judge {setting.judge.name}")
        count, exact = await _counter(setting.against, recorded.prompt.text, at.get(setting.against.name))
        compare = Answers(judge, cosine, "labels, content" + (f", {judge.name}" if judge else ""))
        report = await audit(recorded.prompt, recorded.samples, ask, compare, under, checkpoint, count=count)
    if report.calls and ask.unanswered >= report.calls:
        raise Unusable(f"backend {ask.name} answered none of {ask.unanswered} requests: {ask.why}")
    notes = list(report.notes)
    if ask.unanswered:
        notes.append(f"{ask.unanswered} calls got no usable answer; the last: {ask.why}")
    if judge is not None and (judge.unusable or judge.torn):
        notes.append(
            f"The judge contradicted itself in the other order {judge.torn} times, and gave no usable verdict "
            f"{judge.unusable} times; such pairs count as no difference, and not at all."
        )
    if spending.calls:
        notes.append(f"The judge was asked {spending.calls} times; its cost is in the cost of the audit.")
    if recorded.others:
        notes.append(f"{recorded.others} requests under other prompts were left out.")
    cost = str(Decimal(report.cost) + spending.spent)
    return Performed(replace(report, cost=cost, notes=tuple(notes)), not exact)


async def _counter(backend: Backend, text: str, at: str | None) -> tuple[Callable[[str], int], bool]:
    """Counts tokens: by the backend's own tokenizer on the prompt, in its proportion for other texts."""
    client = Client(Guard(loopback=True))
    try:
        url = at or backend.url
        found = await Tokens(lambda: client, lambda _: [url] if url else []).learn(backend, text)
    finally:
        await client.close()
    rough = estimated(text).tokens
    if not found.exact or not rough:
        return lambda given: estimated(given).tokens, found.exact
    return lambda given: round(estimated(given).tokens * found.tokens / rough), True
