"""What must be written: the difference between intents and what is there. Pure.

An object is applied when its intent changed (a digest in an annotation tells, so that a field that is no longer wanted
is noticed) or when what is there does not hold the intent any more (drift). Fields that others own are never looked at.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sluice_operator import names
from sluice_operator.plan.plan import Manifest, Ref
from sluice_sidecar.config import canonical

PRUNED = (
    "HTTPRoute",
    "Deployment",
    "StatefulSet",
    "Service",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "RoleBinding",
    "Role",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
)
"""Kinds that are pruned, in this order; volumes stay, and what controllers make of ours is theirs."""

_AMOUNTS = frozenset({"requests", "limits", "capacity"})
_SUFFIXES = {"n": Decimal(1) / 10**9, "u": Decimal(1) / 10**6, "m": Decimal(1) / 1000, "": Decimal(1)}
_SUFFIXES |= {unit: Decimal(1000**power) for power, unit in enumerate("kMGTP", start=1)}
_SUFFIXES |= {f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGTP", start=1)}


Difference = tuple[tuple[Manifest, ...], tuple[Ref, ...]]
"""What to apply, what to delete."""


def diff(desired: Iterable[Manifest], children: Mapping[Ref, Manifest], kept: Iterable[Ref] = ()) -> Difference:
    """Intents to apply, in their order, and what is owned, not desired and not `kept`."""
    wanted = {Ref.of(manifest): stamped(manifest) for manifest in desired}
    apply = tuple(m for ref, m in wanted.items() if ref not in children or differs(m, children[ref]))
    stay = {*wanted, *kept}
    delete = [ref for ref, manifest in children.items() if ref not in stay and _prunable(ref, manifest)]
    return apply, tuple(sorted(delete, key=lambda ref: (PRUNED.index(ref.kind), ref)))


def stamped(manifest: Manifest) -> Manifest:
    """The intent with the digest of itself."""
    metadata = manifest["metadata"]
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != names.INTENT}
    plain = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    digest = hashlib.sha256(canonical(plain)).hexdigest()[:32]
    return {**manifest, "metadata": {**metadata, "annotations": {**annotations, names.INTENT: digest}}}


def differs(intent: Manifest, observed: Manifest) -> bool:
    """Whether a stamped intent is not what was applied last, or is not what is there."""
    annotations = observed["metadata"].get("annotations") or {}
    if annotations.get(names.INTENT) != intent["metadata"]["annotations"][names.INTENT]:
        return True
    return not holds(intent, observed)


def holds(intent: Any, observed: Any, path: tuple[str, ...] = ()) -> bool:
    """Whether everything that the intent says is in what was observed; more may be there."""
    if isinstance(intent, Mapping):
        if not isinstance(observed, Mapping):
            return not intent and observed is None
        return all(holds(value, observed.get(key), (*path, key)) for key, value in intent.items())
    if isinstance(intent, list | tuple):
        return _holds_list(intent, observed or (), path)
    if intent == observed:
        return True
    if intent in (None, "") and observed in (None, ""):
        return True
    return bool(_AMOUNTS.intersection(path[-2:])) and _same_amount(intent, observed)


def _holds_list(intent: Sequence[Any], observed: Any, path: tuple[str, ...]) -> bool:
    if not isinstance(observed, list | tuple):
        return False
    key = _key_of(intent, path)
    if key is None:
        return len(intent) == len(observed) and all(
            holds(mine, theirs, path) for mine, theirs in zip(intent, observed, strict=True)
        )
    there = {entry.get(key): entry for entry in observed if isinstance(entry, Mapping)}
    return all(entry[key] in there and holds(entry, there[entry[key]], path) for entry in intent)


def _key_of(intent: Sequence[Any], path: tuple[str, ...]) -> str | None:
    """What tells the entries of a list apart, as server-side apply sees it; None: their order alone."""
    field = path[-1] if path else ""
    key = {"volumeMounts": "mountPath", "ownerReferences": "uid"}.get(field, "name")
    if field in {"rules", "sources", "items", "subjects"} or not intent:
        return None
    return key if all(isinstance(entry, Mapping) and key in entry for entry in intent) else None


def _same_amount(one: Any, other: Any) -> bool:
    first, second = _amount(one), _amount(other)
    return first is not None and first == second


def _amount(value: Any) -> Decimal | None:
    text = str(value)
    number = text.rstrip("numkKMGTPi")
    factor = _SUFFIXES.get(text[len(number) :])
    try:
        return None if factor is None else Decimal(number) * factor
    except InvalidOperation:
        return None


def _prunable(ref: Ref, manifest: Manifest) -> bool:
    metadata = manifest["metadata"]
    mine = (metadata.get("labels") or {}).get(names.MANAGED_BY) == names.MANAGED
    # An owner that controls it is a Sluice object, or some controller that made it from one of ours.
    foreign = any(
        owner.get("controller") and not str(owner.get("apiVersion", "")).startswith("sluice.dev/")
        for owner in metadata.get("ownerReferences") or ()
    )
    return mine and not foreign and ref.kind in PRUNED and not metadata.get("deletionTimestamp")
