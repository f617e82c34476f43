"""What must hold of a history, whatever was killed in it. Pure: data in, what does not hold out."""

from collections.abc import Iterator
from dataclasses import dataclass

from e2e.faults.history import Acknowledged, Asked, History, Read, Refused, Told, custom_id

RULES = {
    "refused": "what can be taken is taken",
    "key": "one key makes one batch, another key another",
    "lost": "each acknowledged request has a result",
    "changed": "no result is delivered twice with different content",
    "order": "results come in the order of the batch",
    "foreign": "each result answers its own request",
    "untold": "each webhook that was asked for came",
    "unverified": "each webhook that came is signed well",
    "retold": "one batch has one webhook, the same each time that it comes",
}
"""Rule -> what it says."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and where."""

    rule: str
    where: str


def violations(history: History) -> list[Violation]:
    """All rules that do not hold of a history that has come to its end: everything that was acknowledged has been
    waited for, and fetched."""
    asked = {one.key: one for one in history if isinstance(one, Asked)}
    of = {one.id: asked[one.key] for one in history if isinstance(one, Acknowledged)}
    reads: dict[str, list[Read]] = {id_: [] for id_ in of}
    told: dict[str, list[Told]] = {id_: [] for id_ in of}
    found = []
    for event in history:
        if isinstance(event, Refused):
            found.append(Violation("refused", f"{event.key}: {event.status} {event.said}"))
        elif isinstance(event, Read):
            reads.setdefault(event.id, []).append(event)
        elif isinstance(event, Told):
            told.setdefault(event.id, []).append(event)
            if not event.verified:
                found.append(Violation("unverified", f"{event.id}: {event.event}"))
    found += _keys(history)
    for id_, submission in of.items():
        found += _results(id_, submission, reads[id_])
        found += _webhooks(id_, submission, told[id_])
    found += [Violation("foreign", f"{id_} was never acknowledged") for id_ in (reads.keys() | told.keys()) - of.keys()]
    return found


def _keys(history: History) -> Iterator[Violation]:
    ids: dict[str, str] = {}
    keys: dict[str, str] = {}
    for event in history:
        if isinstance(event, Acknowledged):
            if ids.setdefault(event.key, event.id) != event.id:
                yield Violation("key", f"{event.key} made {ids[event.key]} and {event.id}")
            if keys.setdefault(event.id, event.key) != event.key:
                yield Violation("key", f"{event.id} was made by {keys[event.id]} and {event.key}")


def _results(id_: str, submission: Asked, reads: list[Read]) -> Iterator[Violation]:
    if not reads:
        yield Violation("lost", f"{id_}: no result of {len(submission.asks)}")
        return
    if any(read.answers != reads[0].answers for read in reads):
        yield Violation("changed", f"{id_}: {len(set(reads))} different results")
    answers = reads[0].answers
    wanted = [custom_id(at) for at in range(len(submission.asks))]
    names = [name for name, _ in answers]
    if missing := set(wanted) - set(names):
        yield Violation("lost", f"{id_}: {len(missing)} of {len(wanted)} requests, {min(missing)} for one")
    if len(set(names)) < len(names) or set(names) - set(wanted):
        yield Violation("changed", f"{id_}: a request has two results, or one that nobody asked for")
    elif names != [name for name in wanted if name in set(names)]:
        yield Violation("order", id_)
    asks = dict(zip(wanted, submission.asks, strict=True))
    for name, text in answers:
        if name in asks and not text.endswith(f" {asks[name]}"):
            yield Violation("foreign", f"{id_}: {name} has {text[:80]!r}")


def _webhooks(id_: str, submission: Asked, told: list[Told]) -> Iterator[Violation]:
    good = [one for one in told if one.verified]
    if submission.told and not good:
        yield Violation("untold", id_)
    if len({(one.event, one.body) for one in good}) > 1:
        yield Violation("retold", f"{id_}: {len(good)} deliveries are not alike")
    if good and not submission.told:
        yield Violation("foreign", f"{id_}: a webhook that nobody asked for")
