"""The document in a ConfigMap, whole: plain, or put together from shards that match their digests. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from sluice_sidecar.cluster.places import CONFIG_KEY, SHARDS_KEY


@dataclass(frozen=True, slots=True)
class Shard:
    """One part: the ConfigMap that holds it, and the SHA-256 (hex) of its UTF-8 bytes."""

    name: str
    sha256: str


def shards(data: Mapping[str, str]) -> tuple[Shard, ...]:
    """The parts that a document consists of; none where it is plain. Raises ValueError."""
    if data.get(CONFIG_KEY):
        return ()
    try:
        index = orjson.loads(data[SHARDS_KEY])
        found = tuple(Shard(str(part["name"]), str(part["sha256"])) for part in index["shards"])
    except KeyError as problem:
        raise ValueError(f"the Config's ConfigMap has no {problem}") from None
    except (orjson.JSONDecodeError, TypeError):
        raise ValueError(f"{SHARDS_KEY} of the Config's ConfigMap cannot be read") from None
    if not found:
        raise ValueError(f"{SHARDS_KEY} of the Config's ConfigMap names no shard")
    return found


def joined(data: Mapping[str, str], parts: Mapping[Shard, str]) -> str | None:
    """The document; None while a shard is not there or is another one than the index says."""
    wanted = shards(data)
    if not wanted:
        return data[CONFIG_KEY]
    texts = [parts.get(shard) for shard in wanted]
    if any(text is None or not matches(text, shard) for text, shard in zip(texts, wanted, strict=True)):
        return None
    return "".join(text for text in texts if text is not None)


def matches(text: str, shard: Shard) -> bool:
    """Whether a text is that part."""
    return hashlib.sha256(text.encode()).hexdigest() == shard.sha256
