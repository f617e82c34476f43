"""Numbers that YAML carries as text: decimals, shares, percentages, durations, sizes, processors.

Decimals are text because Kubernetes APIs have no floats and money must not have them. Each type carries the pattern by
which the API server refuses what the parser here refuses, so a file that is valid here is valid there.
"""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema

from sluice_operator.kinds.part import CURE, refused

DECIMAL_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"
SHARE_PATTERN = r"^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$"
PERCENT_PATTERN = r"^([0-9]{1,2}(\.[0-9]{1,9})?|100(\.0{1,9})?)$"
DURATION_PATTERN = r"^([0-9]{1,9}(ms|s|m|h|d)){1,4}$"
POSITIVE_DURATION_PATTERN = r"^([0-9]{1,9}(ms|s|m|h|d)){0,3}0{0,8}[1-9][0-9]{0,8}(ms|s|m|h|d)$"
SIZE_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,3})?(k|M|G|T|Ki|Mi|Gi|Ti)?$"
CPU_PATTERN = r"^([0-9]{1,6}m|[0-9]{1,4}(\.[0-9]{1,3})?)$"

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def text_of(value: Any, example: str) -> str:
    """`value` if it is text. Raises with the quotes to write if it is a number, which the API server would refuse."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refused("quotes", f'a number without quotes; write "{value}" with quotes')
    raise refused("text", f'not text; write for example "{example}"')


def matched(value: Any, pattern: str, what: str, example: str) -> str:
    """`value` if it is text that `pattern` matches whole. Raises with `what` was expected and an example."""
    text = text_of(value, example)
    if not re.fullmatch(pattern, text):
        raise refused("format", f'"{text}" is not {what}; write for example "{example}"')
    return text


def schema(pattern: str, what: str, example: str, max_length: int = 64, rule: str | None = None) -> WithJsonSchema:
    """The CRD's schema of a text; where it refuses one, it says that it is not `what`, and gives the example.

    `rule` is CEL for what the pattern cannot tell.
    """
    cure = f'not {what}; write for example "{example}"'
    rules = {"x-kubernetes-validations": [{"rule": rule, "message": cure}]} if rule else {}
    return WithJsonSchema({"type": "string", "maxLength": max_length, "pattern": pattern, CURE: cure, **rules})


def duration_seconds(text: str) -> float:
    """Seconds of a duration such as 500ms, 60s, 5m, 1h, 1h30m, 7d."""
    parts = re.findall(r"([0-9]+)(ms|[smhd])", text)
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000


def duration_text(seconds: float) -> str:
    """The shortest duration in one unit that is exactly `seconds`, to the millisecond: 3600.0 -> 1h."""
    milliseconds = round(seconds * 1000)
    unit = next((u for u in ("d", "h", "m", "s") if milliseconds and milliseconds % _MILLISECONDS[u] == 0), None)
    if unit is None:
        return f"{milliseconds}ms" if milliseconds else "0s"
    return f"{milliseconds // _MILLISECONDS[unit]}{unit}"


def size_bytes(text: str) -> int:
    """Bytes of a size such as 1048576, 512Mi, 1.5G."""
    number = text.rstrip("kKMGTi")
    return int(Decimal(number) * _BYTES[text[len(number) :]])


def cpu_cores(text: str) -> float:
    """Processors of a share such as 2, 0.5, 500m."""
    return int(text[:-1]) / 1000 if text.endswith("m") else float(text)


def decimal_text(value: Decimal) -> str:
    """The shortest plain notation: 0.020 -> 0.02, 1E+3 -> 1000."""
    return format(value.normalize(), "f")


_DECIMAL = (DECIMAL_PATTERN, "a decimal number of 0 or more", "0.02")
_SHARE = (SHARE_PATTERN, "a decimal number from 0 to 1", "0.8")
_PERCENT = (PERCENT_PATTERN, "a percentage from 0 to 100", "1.5")
_DURATION = (DURATION_PATTERN, "a duration", "60s")
_POSITIVE_DURATION = (POSITIVE_DURATION_PATTERN, "a duration above 0", "60s")
_SIZE = (SIZE_PATTERN, "a size", "10Gi")
_CPU = (CPU_PATTERN, "a number of processors", "500m")


def _decimal(value: Any) -> Decimal:
    return Decimal(matched(value, *_DECIMAL))


def _share(value: Any) -> Decimal:
    return Decimal(matched(value, *_SHARE))


def _percent(value: Any) -> Decimal:
    return Decimal(matched(value, *_PERCENT))


def _duration(value: Any) -> float:
    return duration_seconds(matched(value, *_DURATION))


def _positive_duration(value: Any) -> float:
    return duration_seconds(matched(value, *_POSITIVE_DURATION))


def _size(value: Any) -> str:
    return matched(value, *_SIZE)


def _cpu(value: Any) -> str:
    return matched(value, *_CPU)


DecimalText = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(decimal_text), schema(*_DECIMAL)]
"""A decimal of 0 or more, in quotes: "0.02"."""

Share = Annotated[Decimal, BeforeValidator(_share), PlainSerializer(decimal_text), schema(*_SHARE)]
"""A decimal from 0 to 1, in quotes: "0.8"."""

Percent = Annotated[Decimal, BeforeValidator(_percent), PlainSerializer(decimal_text), schema(*_PERCENT)]
"""A decimal from 0 to 100, in quotes: "1.5"."""

Duration = Annotated[float, BeforeValidator(_duration), PlainSerializer(duration_text), schema(*_DURATION)]
"""Seconds, written 500ms, 60s, 5m, 1h, 7d or combined: 1h30m."""

PositiveDuration = Annotated[
    float, BeforeValidator(_positive_duration), PlainSerializer(duration_text), schema(*_POSITIVE_DURATION)
]
"""A duration above 0 (its last number is above 0)."""

Size = Annotated[str, BeforeValidator(_size), schema(*_SIZE)]
"""Bytes, written 512Mi, 10Gi; `size_bytes` calculates them."""

Cpu = Annotated[str, BeforeValidator(_cpu), schema(*_CPU)]
"""Processors, written "2" or 500m; `cpu_cores` calculates them."""

Flag = Annotated[bool, Strict()]
"""true or false, not "true"."""

Count = Annotated[int, Strict(), Field(ge=0, le=2_147_483_647)]
"""A whole number of 0 or more."""

PositiveCount = Annotated[int, Strict(), Field(ge=1, le=2_147_483_647)]
"""A whole number of 1 or more."""
