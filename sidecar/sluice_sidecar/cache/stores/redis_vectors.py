"""Two ways in which a Redis server finds near vectors; either sees one scope alone, within the query.

`v:SCOPE` is a vector set of Redis 8: a scope's vectors, exact and unquantised. `h:KEY` is a hash for RediSearch, which
managed servers have instead: one index over all of them, flat, so exact too; the scope is a tag of the hash.
"""

from hashlib import blake2b
from typing import Any, Protocol

import orjson

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.redis_wire import pairs

Command = tuple[Any, ...]
"""A command; its second word is a key without the prefix."""


class Vectors(Protocol):
    """Commands that keep and find vectors."""

    def adding(self, scope: str, key: str, vector: bytes, expires: int, seconds: int) -> list[Command]:
        """Keeps a vector for `seconds`, in the place of the key's last one; a neighbour until `expires`."""

    def removal(self, scope: str, key: str) -> Command:
        """Forgets the key's vector, if there is one."""

    def nearest(self, scope: str, vector: bytes, limit: int, now: float) -> Command:
        """Asks for up to `limit` keys of the scope that live at `now`."""

    def found(self, answer: Any) -> dict[str, float]:
        """Key to cosine, from the answer to that."""


class VectorSets:
    """Redis 8's own. A set has a life as long as its longest element's."""

    def adding(self, scope: str, key: str, vector: bytes, expires: int, seconds: int) -> list[Command]:
        """See Vectors."""
        attributes = orjson.dumps({"expires": expires})
        return [
            ("VADD", f"v:{scope}", "FP32", vector, key, "NOQUANT", "SETATTR", attributes),
            ("EXPIRE", f"v:{scope}", seconds, "NX"),
            ("EXPIRE", f"v:{scope}", seconds, "GT"),
        ]

    def removal(self, scope: str, key: str) -> Command:
        """See Vectors."""
        return ("VREM", f"v:{scope}", key)

    def nearest(self, scope: str, vector: bytes, limit: int, now: float) -> Command:
        """See Vectors."""
        return (
            "VSIM", f"v:{scope}", "FP32", vector, "WITHSCORES", "COUNT", limit, "EF", 200,
            "FILTER", f".expires > {now!r}", "FILTER-EF", 1000,
        )  # fmt: skip

    def found(self, answer: Any) -> dict[str, float]:
        """See Vectors; the server's score is (1 + cosine) / 2."""
        return {key.decode(): 2.0 * float(score) - 1.0 for key, score in pairs(answer)}


class Search:
    """RediSearch 2.4 or newer, its query dialect 2. `prefix` is that of all keys; the index is named after it."""

    def __init__(self, prefix: str, width: int = WIDTH) -> None:
        """`width`: dimensions of the vectors; an index has those of one width alone."""
        self._short = "h:" if width == WIDTH else f"h{width}:"
        self._hashes = prefix + self._short
        self._name, self._width = f"f:{width}", width
        self.index = prefix + self._name

    def making(self) -> Command:
        """Makes the index; the whole command."""
        return (
            "FT.CREATE", self.index, "ON", "HASH", "PREFIX", 1, self._hashes, "SCHEMA", "scope", "TAG",
            "expires", "NUMERIC", "vector", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", self._width,
            "DISTANCE_METRIC", "COSINE",
        )  # fmt: skip

    def adding(self, scope: str, key: str, vector: bytes, expires: int, seconds: int) -> list[Command]:
        """See Vectors."""
        return [
            ("HSET", f"{self._short}{key}", "scope", _tag(scope), "expires", expires, "vector", vector),
            ("EXPIRE", f"{self._short}{key}", seconds),
        ]

    def removal(self, scope: str, key: str) -> Command:
        """See Vectors."""
        return ("UNLINK", f"{self._short}{key}")

    def nearest(self, scope: str, vector: bytes, limit: int, now: float) -> Command:
        """See Vectors."""
        chosen = f"(@scope:{{{_tag(scope)}}} @expires:[({now!r} +inf])=>[KNN {limit} @vector $near AS away]"
        return (
            "FT.SEARCH", self._name, chosen, "PARAMS", 2, "near", vector, "SORTBY", "away", "RETURN", 1, "away",
            "LIMIT", 0, limit, "DIALECT", 2,
        )  # fmt: skip

    def found(self, answer: Any) -> dict[str, float]:
        """See Vectors; the server's distance is 1 - cosine. The answer is a count, then names and their fields."""
        fields = zip(answer[1::2], answer[2::2], strict=True)
        return {name.decode().removeprefix(self._hashes): 1.0 - float(dict(pairs(of))[b"away"]) for name, of in fields}


def _tag(scope: str) -> str:
    """A scope in a form that needs no escaping in a query; what is given is checked against the scope itself."""
    return blake2b(scope.encode(), digest_size=16).hexdigest()
