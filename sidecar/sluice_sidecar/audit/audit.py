"""Audits one prompt: chooses what could go on some samples, proves on others that it is not worth the margin.

The proof is one sequential test of the shorter prompt as a whole against the one that is in use, on samples that had
no part in the choice, in an order fixed by the seed. Should it fail, one smaller choice, fixed before as well, is tried
with what is left of the error that is allowed: PARTS. So the probability that a prompt is shortened although it loses
the margin or more is at most 1 - confidence, whatever the screening did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from sluice_sidecar.audit.asking import Asking, Checkpoint, Exhausted, Prices
from sluice_sidecar.audit.candidates import Candidate, candidates, without
from sluice_sidecar.audit.model import Answerer, Comparator, Prompt, Sample
from sluice_sidecar.audit.noninferiority import SequentialTest, interval, needed
from sluice_sidecar.audit.relevance import Embed, Relevance, relevance
from sluice_sidecar.audit.report import Finding, Method, Report, Share, Verdict
from sluice_sidecar.audit.screening import ANY, PROBES, Screened, Screening, variant

PARTS = (0.75, 0.25)
"""How the error that is allowed is divided between the first choice and the smaller one."""
SCREENING = 0.25
"""Share of the samples that choose, MOST_SCREENING at most."""
MOST_SCREENING = 80
UNREST = 40
"""Samples that are asked twice under the full prompt, to see whether it agrees with itself."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is known of a prompt's use: for the saving of a month."""

    requests_a_month: float
    cached_share: float = 0.0
    """Share of prompt tokens that the backend bills as cached."""
    cache_minimum: int = 1024
    """Tokens below which the backend caches no prefix."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a prompt is audited."""

    margin: float = 0.02
    """Most mean loss of quality, 0..1, that is as good as none."""
    confidence: float = 0.95
    max_calls: int | None = None
    max_cost: Decimal | None = None
    prices: Prices = field(default_factory=Prices)
    traffic: Traffic | None = None
    seed: int = 0
    width: int = 4
    """Calls at a time."""


@dataclass(slots=True)
class _Proof:
    going: list[Candidate]
    losses: list[float]
    p_value: float
    shown: bool


def enough(terms: Terms) -> int:
    """Samples that an audit needs at least to take anything out."""
    confirming = needed(terms.margin, (1.0 - terms.confidence) * PARTS[0])
    total = confirming
    while total - _screening(total) < confirming:
        total += 1
    return total


def estimate(prompt: Prompt, samples: int, terms: Terms) -> int:
    """Calls of the model that an audit makes at most, but for what a sample that loses takes to look into."""
    found = len(candidates(prompt))
    screening = _screening(samples)
    return 2 * screening + found * (PROBES + ANY) + 4 * (samples - screening)


async def audit(
    prompt: Prompt,
    samples: Sequence[Sample],
    ask: Answerer,
    compare: Comparator,
    terms: Terms,
    checkpoint: Checkpoint,
    *,
    count: Callable[[str], int],
    embed: Embed | None = None,
) -> Report:
    """What may go of a prompt. `count` gives a text's tokens. A bound that is met ends it early: `partial` says so.

    Asked again with the same samples, terms and checkpoint it goes on where it was broken off.
    """
    found = candidates(prompt)
    order = sorted(samples, key=lambda sample: sample.id)
    Random(terms.seed).shuffle(order)  # noqa: S311  (a draw that can be repeated)
    choosing, proving = order[: _screening(len(order))], order[_screening(len(order)) :]
    asking = Asking(
        ask, compare, checkpoint,
        prices=terms.prices, max_calls=terms.max_calls, max_cost=terms.max_cost, width=terms.width,
    )  # fmt: skip
    served = relevance(prompt, order, embed) if order else None
    partial, proof, noise = _short_of(len(order), found, terms), None, None
    screened = Screened([], {})
    if partial is None and served is not None:
        part = Relevance(served.scores[:, : len(choosing)], served.serves[:, : len(choosing)])
        screening = Screening(prompt, found, choosing, part, asking, terms.seed)
        try:
            noise = await _noise(prompt, choosing, asking)
            screened = await screening.run()
            proof = await _prove(prompt, _choices(prompt, screened, served), proving, asking, terms, noise)
        except Exhausted as bound:
            partial = f"{bound}; to go on, raise it and start the audit again: nothing is asked twice"
            screened = screening.partly
    return _report(prompt, order, found, screened, proof, served, asking, terms, count, partial, noise)


def _screening(samples: int) -> int:
    return min(round(samples * SCREENING), MOST_SCREENING)


def _short_of(samples: int, found: Sequence[Candidate], terms: Terms) -> str | None:
    if not samples:
        return f"no request was seen under this prompt; {enough(terms)} are needed"
    if samples < enough(terms):
        return (
            f"{samples} samples are too few: {enough(terms)} are needed for a margin of {terms.margin:g} "
            f"with confidence {terms.confidence:g}"
        )
    return None if found else "the prompt is one section and has nothing to compress: there is nothing to leave out"


async def _noise(prompt: Prompt, samples: Sequence[Sample], asking: Asking) -> float | None:
    told = await asking.losses("again", prompt.text, prompt.text, samples[:UNREST])
    known = [abs(loss) for loss in told if loss is not None]
    return sum(known) / len(known) if known else None


def _choices(prompt: Prompt, screened: Screened, served: Relevance) -> list[list[Candidate]]:
    """What is tried, in this order: all that could go, and of it what the fewest requests have to do with."""
    row = {section.id: n for n, section in enumerate(prompt.sections)}
    share = {one.id: served.share(row[one.id])[0] if one.id in row else 0.0 for one in screened.going}
    first = list(screened.going)
    second = sorted(first, key=lambda one: (share[one.id], one.start))[: (len(first) + 1) // 2]
    return [first, second] if 0 < len(second) < len(first) else [first] if first else []


async def _prove(
    prompt: Prompt,
    choices: Sequence[list[Candidate]],
    samples: Sequence[Sample],
    asking: Asking,
    terms: Terms,
    noise: float | None,
) -> _Proof | None:
    """The first choice that is shown to lose less than the margin, else what was found of the last one tried.

    Where the full prompt already differs from itself, asked twice, that difference is taken off each sample's loss."""
    proof = None
    for going, part in zip(choices, PARTS, strict=False):
        test = SequentialTest(terms.margin, (1.0 - terms.confidence) * part)
        losses: list[float] = []
        text = without(prompt, going)
        for at in range(0, len(samples), terms.width):
            batch = samples[at : at + terms.width]
            unrest = await asking.losses("again", prompt.text, prompt.text, batch) if noise else [0.0] * len(batch)
            lost = await asking.losses(variant(going), text, prompt.text, batch)
            for loss, by_itself in zip(lost, unrest, strict=True):
                if loss is not None and by_itself is not None:
                    losses.append(min(max(loss - by_itself, -1.0), 1.0))
                    test.feed(losses[-1])
            if test.shown or test.hopeless(len(samples) - at - len(batch)):
                break
        proof = _Proof(going, losses, test.p_value, test.shown)
        if test.shown:
            break
    return proof


def _report(
    prompt: Prompt, samples: Sequence[Sample], found: Sequence[Candidate], screened: Screened, proof: _Proof | None,
    served: Relevance | None, asking: Asking, terms: Terms, count: Callable[[str], int], partial: str | None,
    noise: float | None,
) -> Report:  # fmt: skip
    going = proof.going if proof is not None and proof.shown else []
    shorter = without(prompt, going)
    before, after = count(prompt.text), count(shorter)
    rest = [count(sample.asked()) for sample in samples]
    findings = [
        _finding(prompt, one, before - count(without(prompt, [one])), screened, proof, served, terms) for one in found
    ]
    saving, net = _savings(before, after, rest, terms)
    return Report(
        prompt=prompt.digest,
        text=prompt.text,
        shorter=shorter,
        samples=len(samples),
        findings=tuple(findings),
        dropped=tuple(one.id for one in going),
        tokens_before=before,
        tokens_after=after,
        p95_before=_p95([before + more for more in rest]),
        p95_after=_p95([after + more for more in rest]),
        loss=None if proof is None else _share(proof.losses, terms.confidence),
        p_value=None if proof is None else proof.p_value,
        saving_a_month=saving,
        net_of_cache_discount=net,
        currency=terms.prices.currency,
        cost=str(asking.cost),
        calls=asking.calls,
        compared=asking.compared,
        estimate=estimate(prompt, len(samples), terms),
        plain=(len(found) + 1) * len(samples),
        partial=partial,
        method=Method(
            comparator=asking.comparator,
            margin=terms.margin,
            confidence=terms.confidence,
            seed=terms.seed,
            screening=_screening(len(samples)),
            confirming=len(samples) - _screening(len(samples)),
            needed=enough(terms),
            noise=noise,
        ),
    )


def _finding(
    prompt: Prompt, one: Candidate, tokens: int, screened: Screened, proof: _Proof | None, served: Relevance | None,
    terms: Terms,
) -> Finding:  # fmt: skip
    rows = {section.id: n for n, section in enumerate(prompt.sections)}
    alone = screened.alone.get(one.id, [])
    verdict, why = _verdict(one, screened, proof, alone)
    tried = proof is not None and any(one.id == other.id for other in proof.going)
    return Finding(
        id=one.id,
        title=one.title,
        kind=one.kind,
        start=one.start,
        end=one.end,
        tokens=tokens,
        serves=served.share(rows[one.id]) if served is not None and one.id in rows else (0.0, 0.0, 1.0),
        asked=len(alone) + (len(proof.losses) if proof is not None and tried else 0),
        loss=_share(alone, terms.confidence) if alone else None,
        p_value=proof.p_value if proof is not None and tried else None,
        verdict=verdict,
        why=why,
    )


def _verdict(one: Candidate, screened: Screened, proof: _Proof | None, alone: Sequence[float]) -> tuple[Verdict, str]:
    if one.id in screened.needed:
        return "needed", screened.needed[one.id]
    if proof is not None and any(one.id == other.id for other in proof.going):
        if proof.shown:
            return "drop", f"{len(proof.losses)} requests lost nothing that counts without all that goes"
        return "keep", "it was not shown that the requests lose less than the margin without it"
    if alone:
        return "keep", "nothing was lost on what it was tried on; it was not proven"
    return "untested", "it was not asked about"


def _share(losses: Sequence[float], confidence: float) -> Share | None:
    if not losses:
        return None
    low, high = interval(losses, confidence)
    return sum(losses) / len(losses), low, high


def _p95(values: Sequence[int]) -> float:
    """The 95th percentile by nearest rank; 0 of nothing."""
    ranked = sorted(values)
    return float(ranked[max(0, -(-95 * len(ranked) // 100) - 1)]) if ranked else 0.0


def _savings(before: int, after: int, rest: Sequence[int], terms: Terms) -> tuple[str | None, str | None]:
    """Of a month, at full input price and with the discount of cached prefixes."""
    traffic, prices = terms.traffic, terms.prices
    if traffic is None or not prices.input:
        return None, None
    requests = Decimal(str(traffic.requests_a_month)) / 1_000_000
    gross = requests * (before - after) * prices.input
    cached = prices.input if prices.cached is None else prices.cached
    mean = sum(rest) / len(rest) if rest else 0.0

    def paid(system: int) -> Decimal:
        share = traffic.cached_share if system + mean >= traffic.cache_minimum else 0.0
        return requests * system * (Decimal(str(share)) * cached + Decimal(str(1.0 - share)) * prices.input)

    return f"{gross:.2f}", f"{paid(before) - paid(after):.2f}"
