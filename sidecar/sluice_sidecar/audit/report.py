"""What an audit found: data, as JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

VERSION = 1
"""Of the JSON."""

Verdict = Literal["drop", "keep", "needed", "untested"]
"""drop: shown to be worth less than the margin, alone and together with all others that go; needed: leaving it out lost
more than that; keep: neither was shown; untested: not asked about."""

Share = tuple[float, float, float]
"""An estimate and the ends of its interval."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one section or one offered compression."""

    id: str
    title: str
    kind: str
    """A section's kind, or `compression`."""
    start: int
    end: int
    tokens: int
    """What the prompt gets shorter by without it."""
    serves: Share
    """Share of the requests that it plausibly serves."""
    asked: int
    """Samples that were asked again without it, alone or with others."""
    loss: Share | None
    """Mean loss of quality without it alone; None where it was asked about only with others."""
    p_value: float | None
    """Of "it is worth the margin or more": of the set that it goes with."""
    verdict: Verdict
    why: str
    """In words."""


@dataclass(frozen=True, slots=True)
class Method:
    """How it was found, so that somebody else can repeat it."""

    comparator: str
    margin: float
    confidence: float
    seed: int
    screening: int
    """Samples for choosing what is tried."""
    confirming: int
    """Samples, apart from those, for the proof."""
    needed: int
    """Samples that the proof needs at least."""
    noise: float | None
    """Mean absolute loss between two answers under the same prompt: the comparator's and the model's own unrest."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an audit of one prompt."""

    prompt: str
    """Its digest."""
    text: str
    shorter: str
    """What the prompt is without all that goes; equal to `text` where nothing does."""
    samples: int
    findings: tuple[Finding, ...]
    dropped: tuple[str, ...]
    """Ids of what goes."""
    tokens_before: int
    tokens_after: int
    p95_before: float
    """95th percentile of the tokens of a whole request, system prompt included."""
    p95_after: float
    loss: Share | None
    """Mean loss of quality of the shorter prompt, with its interval."""
    p_value: float | None
    saving_a_month: str | None
    """Money, decimal, in `currency`, at the traffic and the prices that were given; None where they were not."""
    net_of_cache_discount: str | None
    """The same after what the shorter prompt loses of the backend's discount on cached prefixes."""
    currency: str
    cost: str
    """What the audit itself spent, decimal."""
    calls: int
    compared: int
    """Calls of a judge among them."""
    estimate: int
    """Calls that were foreseen at most."""
    plain: int
    """Calls that asking every sample without every section would have taken."""
    partial: str | None
    """Why it is not complete; None when it is."""
    method: Method
    version: int = VERSION
    notes: tuple[str, ...] = field(default=())

    @property
    def reduction(self) -> float:
        """Share of the prompt's tokens that goes, 0..1."""
        return 1.0 - self.tokens_after / self.tokens_before if self.tokens_before else 0.0

    def shown(self) -> dict[str, Any]:
        """As JSON's types."""
        return asdict(self)


def read(shown: Mapping[str, Any]) -> Report:
    """A report from its JSON. Raises ValueError where it is of another version or not whole."""
    if shown.get("version") != VERSION:
        raise ValueError(f"a report of version {shown.get('version')!r}; this release reads {VERSION}")
    try:
        known = {one.name: shown[one.name] for one in fields(Report)}
        return Report(
            **{
                **known,
                "findings": tuple(_finding(one) for one in shown["findings"]),
                "dropped": tuple(shown["dropped"]),
                "notes": tuple(shown["notes"]),
                "loss": _share(shown["loss"]),
                "method": Method(**shown["method"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a whole report: {error}") from None


def _finding(shown: Mapping[str, Any]) -> Finding:
    return Finding(**{**shown, "serves": _share(shown["serves"]), "loss": _share(shown["loss"])})


def _share(shown: Any) -> Share | None:
    return None if shown is None else (float(shown[0]), float(shown[1]), float(shown[2]))
