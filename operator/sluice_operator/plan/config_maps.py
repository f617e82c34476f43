"""The Config and the endpoints as ConfigMaps: one, or content-addressed shards with an index. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from sluice_operator import names
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest, Ref
from sluice_sidecar.config import Config, Endpoints, canonical


def config_maps(namespace: str, config: Config) -> list[Manifest]:
    """The ConfigMaps of a Config, in the order in which they are written: the index after all of its shards."""
    text = config.to_json().decode()
    if len(text.encode()) <= names.SHARD_BYTES:
        return [_config_map(namespace, names.CONFIG_MAP, {names.CONFIG_KEY: text})]
    shards, entries = [], []
    for part in _parts(text, names.SHARD_BYTES):
        sha = hashlib.sha256(part.encode()).hexdigest()
        name = f"{names.CONFIG_MAP}-{sha[:16]}"
        shards.append(_config_map(namespace, name, {names.SHARD_KEY: part}))
        entries.append({"name": name, "sha256": sha})
    index = canonical({"digest": config.digest, "shards": entries}).decode()
    return [*shards, _config_map(namespace, names.CONFIG_MAP, {names.SHARDS_KEY: index})]


def endpoints_map(namespace: str, endpoints: Endpoints) -> Manifest:
    """The ConfigMap of ready addresses."""
    text = canonical(endpoints.model_dump(mode="json")).decode()
    return _config_map(namespace, names.ENDPOINTS_MAP, {names.ENDPOINTS_KEY: text})


def last_config(namespace: str, children: Mapping[Ref, Manifest]) -> Config | None:
    """The Config that was published last. None: there is none, or it cannot be read (a shard is missing or changed)."""
    text = _text(namespace, children)
    if text is None:
        return None
    try:
        config = Config.model_validate_json(text)
    except ValidationError:
        return None
    return config if config.namespace == namespace else None


def _text(namespace: str, children: Mapping[Ref, Manifest]) -> str | None:
    data = _data(namespace, names.CONFIG_MAP, children)
    if names.CONFIG_KEY in data:
        return data[names.CONFIG_KEY]
    try:
        entries = json.loads(data[names.SHARDS_KEY])["shards"]
        parts = [_data(namespace, entry["name"], children)[names.SHARD_KEY] for entry in entries]
        whole = all(
            hashlib.sha256(part.encode()).hexdigest() == entry["sha256"]
            for part, entry in zip(parts, entries, strict=True)
        )
    except (KeyError, TypeError, ValueError):
        return None
    return "".join(parts) if whole else None


def _data(namespace: str, name: str, children: Mapping[Ref, Manifest]) -> Mapping[str, str]:
    found = children.get(Ref("v1", "ConfigMap", namespace, name))
    return (found.get("data") or {}) if found else {}


def _config_map(namespace: str, name: str, data: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(namespace, name, "config"),
        "data": dict(data),
    }


def _parts(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most `most` bytes, never in the middle of a character."""
    data = text.encode()
    start = 0
    while start < len(data):
        end = min(start + most, len(data))
        while end < len(data) and data[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        yield data[start:end].decode()
        start = end
