"""What reuse by meaning counted since the start, for the metrics: labels, calls that checked an answer, hits."""

from collections import Counter
from dataclasses import dataclass, field

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.risk import Source

Name = tuple[str, How]
"""Policy and strategy."""


@dataclass(slots=True)
class Tally:
    """One process's counts. They only grow, whatever evidence is voided meanwhile."""

    labels: Counter[tuple[str, How, Source, bool]] = field(default_factory=Counter)
    """By policy, strategy, where the label comes from, and whether the answer was wrong."""
    checked: Counter[Name] = field(default_factory=Counter)
    """Hits that were asked again."""
    hits: Counter[Name] = field(default_factory=Counter)
    """Answers that were reused."""
