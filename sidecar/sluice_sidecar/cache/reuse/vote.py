"""What an ask's nearest neighbours say together: the answer that most of the nearness speaks for, and how clearly.

Where details matter, close neighbours have different answers; so their agreement tells more than any one's nearness.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sluice_sidecar.cache.reuse.strategy import Neighbour, Record

NEIGHBOURS = 20
"""How many are asked. Twice as many do not tell more; half as many leave a third fewer answers beyond doubt."""
LEAST = 0.4
"""Cosine below which a neighbour has no say."""
SHARPNESS = 16
"""A vote weighs the cosine to this power."""

FEATURES = ("nearest", "share", "margin", "count", "mean", "last", "groups", "neighbours", "length", "record", "rival")
"""What `Vote.features` holds. All are of about unit size, centred where asks usually lie."""


def between(winner: str, rival: str) -> str:
    """The name under which the record of one group against another is kept."""
    return f"{winner}>{rival}"


@dataclass(frozen=True, slots=True)
class Vote:
    """The group of equal answers that won, its members nearest first."""

    members: tuple[Neighbour, ...]
    rival: str
    """The group that came second; empty without one."""
    features: tuple[float, ...]


def vote(text: str, neighbours: Sequence[Neighbour], record: Record) -> Vote | None:
    """The winner among `neighbours` (nearest first), by the sum of cosine**SHARPNESS a group; None without any."""
    groups: dict[str, list[Neighbour]] = {}
    heard = [one for one in neighbours[:NEIGHBOURS] if one.similarity >= LEAST]
    for one in heard:
        groups.setdefault(one.entry.group, []).append(one)
    if not heard:
        return None
    weights = {name: sum(one.similarity**SHARPNESS for one in members) for name, members in groups.items()}
    winner, *rest = sorted(weights, key=weights.__getitem__, reverse=True)
    rival = rest[0] if rest else ""
    members = groups[winner]
    other = max((found[0].similarity for name, found in groups.items() if name != winner), default=LEAST)
    mean = sum(one.similarity for one in members) / len(members)
    features = (
        4.0 * members[0].similarity - 3.0,
        2.0 * weights[winner] / sum(weights.values()) - 1.0,
        5.0 * (members[0].similarity - other),
        len(members) / len(heard),
        4.0 * mean - 3.0,
        4.0 * heard[-1].similarity - 2.0,
        len(groups) / 5.0,
        len(heard) / NEIGHBOURS - 0.5,
        math.log1p(len(text.split())) - 2.0,
        2.0 * record(winner),
        2.0 * record(between(winner, rival)),
    )
    return Vote(tuple(members), rival, features)
