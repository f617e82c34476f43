"""Reuse by meaning in numbers: what metrics and the gateway's report say of it."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sluice_sidecar.telemetry import SEPARATOR, Snapshot

if TYPE_CHECKING:  # a gateway without a cache never loads one
    from sluice_sidecar.cache.cache import Cache


def families(cache: "Cache", policies: Collection[str]) -> Snapshot:
    """The families of a snapshot, of the served policies alone: a policy that is gone is no label any more."""
    tally = cache.learner.tally
    return {
        "reuse": {
            SEPARATOR.join(name): [float(now.open), now.bound, now.promised or 0.0]
            for name, now in cache.learner.standing().items()
            if name[0] in policies
        },
        "reuse_labels": {
            SEPARATOR.join((policy, how, source.value, "wrong" if wrong else "right")): [count]
            for (policy, how, source, wrong), count in tally.labels.items()
            if policy in policies
        },
        "reuse_checks": {SEPARATOR.join(name): [n] for name, n in tally.checked.items() if name[0] in policies},
        "reuse_hits": {SEPARATOR.join(name): [n] for name, n in tally.hits.items() if name[0] in policies},
    }


def worst_bound(cache: "Cache", policy: str) -> float | None:
    """The highest upper bound on the error of a policy's open strategies; None: none is open."""
    standing = cache.learner.standing().items()
    return max((now.bound for (name, _), now in standing if name == policy and now.open), default=None)
