"""Resource quantities as the API server writes them back, so that what is applied and what is read are equal. Pure."""

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

_BINARY = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_FORM = re.compile(r"([0-9]+(?:\.[0-9]*)?)(m|[kMGTPE]|[KMGTPE]i)?")


def canonical(quantity: object) -> str:
    """The canonical form of a quantity: 0.5 -> 500m, 1024Mi -> 1Gi, 1.5Gi -> 1536Mi. Other forms stay as they are."""
    text = str(quantity)
    found = _FORM.fullmatch(text)
    if found is None:
        return text
    suffix = found[2] or ""
    value = _value(found[1], suffix)
    if value != value.to_integral_value():
        return f"{int((value * 1000).to_integral_value(ROUND_CEILING))}m"
    whole = int(value)
    # Below 1024 a binary quantity is written as a decimal one.
    suffixes = _BINARY if suffix.endswith("i") and whole >= 1024 else _DECIMAL
    best = max((factor for factor in suffixes.values() if whole % factor == 0), default=1) if whole else 1
    name = next(name for name, factor in suffixes.items() if factor == best)
    return f"{whole // best}{name}"


def whole_bytes(size: str) -> str:
    """The canonical form of a size; a fraction of a byte counts as one."""
    found = canonical(size)
    return canonical(int(amount(found).to_integral_value(ROUND_CEILING))) if found.endswith("m") else found


def amount(quantity: object) -> Decimal:
    """The number that a quantity stands for. Raises ValueError where it is none."""
    found = _FORM.fullmatch(str(quantity))
    if found is None:
        raise ValueError(f'"{quantity}" is not a quantity; write for example 500m or 512Mi')
    return _value(found[1], found[2] or "")


def resources(default: Mapping[str, Any], given: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
    """Requests and limits: the given ones over the default ones, canonical.

    Where a default request is over a given limit, or a given request over a default limit, the given one holds for
    both: the API server refuses a request above its limit. Of two given ones the limit holds.
    """
    given = given or {}
    requests = {**(default.get("requests") or {}), **given.get("requests", {})}
    limits = {**(default.get("limits") or {}), **given.get("limits", {})}
    for name in requests.keys() & limits.keys():
        if amount(requests[name]) > amount(limits[name]):
            raised = name in given.get("requests", {}) and name not in given.get("limits", {})
            requests[name] = limits[name] = requests[name] if raised else limits[name]
    found = {"requests": requests, "limits": limits}
    return {kind: {name: canonical(value) for name, value in part.items()} for kind, part in found.items() if part}


def _value(number: str, suffix: str) -> Decimal:
    return Decimal(number) / 1000 if suffix == "m" else Decimal(number) * ({**_BINARY, **_DECIMAL}[suffix])
