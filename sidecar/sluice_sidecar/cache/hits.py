"""The last answers that were reused by meaning: shown beside the asks that filled them, open to feedback."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice_sidecar.cache.look import Judged
from sluice_sidecar.config import Policy

KEPT = 2_000
"""Hits that are remembered."""
SHOWN = 2_000
"""Characters of a text that are kept of a hit."""


@dataclass(frozen=True, slots=True)
class Reused:
    """One hit. Times are unix seconds."""

    request: str
    at: float
    tenant: str
    policy: Policy
    partition: str
    judged: Judged
    asked: str
    """The ask that got the answer."""
    filled: str
    """The ask that the answer was given to first; for a document the one whose layout it shares."""
    key: str
    """The entry that was reused."""

    def shown(self) -> Mapping[str, Any]:
        """As plain data."""
        return {
            "request": self.request, "at": self.at, "tenant": self.tenant, "policy": self.policy.name,
            "strategy": self.judged.how, "score": round(self.judged.score, 4),
            "similarity": round(self.judged.proposal.similarity, 4), "asked": self.asked, "filled": self.filled,
            "entry": self.key,
        }  # fmt: skip


class Hits:
    """The last KEPT hits, newest last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Reused] = OrderedDict()

    def add(self, hit: Reused) -> None:
        """Remembers one."""
        self._kept[hit.request] = hit
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def take(self, request: str, tenant: str) -> Reused | None:
        """The hit of a request of this tenant's, once: a caller has one word."""
        hit = self._kept.get(request)
        return self._kept.pop(request) if hit is not None and hit.tenant == tenant else None

    def purge(self, policy: str | None, tenant: str | None, entry: str | None) -> None:
        """Forgets every hit that all given conditions match: its texts are the purged entry's."""
        gone = [
            name
            for name, hit in self._kept.items()
            if policy in (None, hit.policy.name) and tenant in (None, hit.tenant) and entry in (None, hit.key)
        ]
        for name in gone:
            del self._kept[name]

    def recent(self, n: int) -> Sequence[Reused]:
        """The last n, newest first."""
        return list(reversed(self._kept.values()))[:n]
