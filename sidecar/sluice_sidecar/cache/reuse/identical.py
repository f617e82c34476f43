"""Identical: the same scope and the same normalised text. Safe and free."""

from sluice_sidecar.cache.entry import Entry, Hit
from sluice_sidecar.cache.fingerprint import Fingerprint
from sluice_sidecar.cache.ttl import SKEW


def identical(fp: Fingerprint, entry: Entry, now: float, max_age: float | None) -> Hit | None:
    """A hit if `entry` answers exactly this ask and is alive at `now` (unix seconds).

    The record's own key, scope and text are compared whatever the store says. A caller who names a `max_age` gets
    nothing older than that, and nothing stale. On the hot path: about 0.5 us.
    """
    if entry.key != fp.key or entry.scope != fp.scope or entry.text != fp.text:
        return None
    age = now - entry.created
    if age < -SKEW:
        return None
    if max_age is not None and age > max_age:
        return None
    if now < entry.expires:
        return Hit("identical", entry)
    if now < entry.stale_until and max_age is None:
        return Hit("identical", entry, None, True)
    return None
