"""How long an answer lives."""

import random
from collections.abc import Callable

from sluice_sidecar.config import Policy

SKEW = 5.0
"""Seconds by which a record may come from the future before it is held for expired: replicas' clocks differ a little,
and a record from further ahead was written under a wrong clock, so its age is unknown."""


def lifetime(
    policy: Policy, now: float, *, max_age: float | None = None, share: Callable[[], float] = random.random
) -> tuple[float, float]:
    """When an answer given at `now` expires, and until when it may still be shown while it is fetched again.

    The life is shortened by a random share of up to `policy.jitter`, so that what was stored together does not expire
    together; it is never lengthened. `share` gives 0..1. A caller's `max_age` shortens too. Unix seconds.
    """
    life = policy.ttl * (1.0 - min(max(policy.jitter, 0.0), 1.0) * share())
    if max_age is not None:
        life = min(life, max_age)
    expires = now + max(life, 0.0)
    return expires, expires + max(policy.stale_while_revalidate, 0.0)
