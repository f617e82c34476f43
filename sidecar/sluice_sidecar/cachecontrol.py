"""What a caller says of reuse, by `cache-control` and `x-sluice-similarity`: tighten a policy, never loosen it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reuse:
    """`read` and `write`: whether the cache may answer, and may keep the answer; ages in seconds."""

    read: bool = True
    write: bool = True
    max_age: float | None = None
    min_similarity: float | None = None


DEFAULT = Reuse()


def reuse(headers: Mapping[bytes, bytes]) -> Reuse:
    """A request's wishes. `no-cache` asks anew and refreshes, `no-store` also keeps nothing; nonsense is not a wish."""
    control, similarity = headers.get(b"cache-control"), headers.get(b"x-sluice-similarity")
    if control is None and similarity is None:
        return DEFAULT
    read = write = True
    max_age: float | None = None
    for word in (control or b"").lower().split(b","):
        name, _, value = word.strip().partition(b"=")
        if name == b"no-store":
            read = write = False
        elif name == b"no-cache":
            read = False
        elif name == b"max-age" and value.isdigit():
            max_age = float(value)
    return Reuse(read and max_age != 0, write, max_age, _share(similarity))


def _share(text: bytes | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
