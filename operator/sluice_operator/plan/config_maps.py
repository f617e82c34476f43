"""The Config and the endpoints as ConfigMaps: one, or content-addressed shards with an index. Pure.

Whoever may write ConfigMaps can write these too, so what was published last is believed by its signature alone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from sluice_operator import names
from sluice_operator.plan.credentials_secret import known_salt
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest, Ref
from sluice_sidecar.config import Config, Endpoints, canonical
from sluice_sidecar.signature import is_signed, sign


def config_maps(namespace: str, config: Config, salt: str) -> list[Manifest]:
    """The ConfigMaps of a Config, in the order in which they are written: the index after all of its shards.

    It is signed with `salt`, in the object that tells what is published, so that both change in one write.
    """
    text = config.to_json().decode()
    signature = sign(salt, namespace, text)
    if len(text.encode()) <= names.SHARD_BYTES:
        return [_published(namespace, signature, config=text)]
    shards, entries = [], []
    for part in _parts(text, names.SHARD_BYTES):
        sha = hashlib.sha256(part.encode()).hexdigest()
        name = f"{names.CONFIG_MAP}-{sha[:16]}"
        shards.append(_config_map(namespace, name, {names.SHARD_KEY: part}))
        entries.append({"name": name, "sha256": sha})
    index = canonical({"digest": config.digest, "shards": entries}).decode()
    return [*shards, _published(namespace, signature, shards=index)]


def endpoints_map(namespace: str, endpoints: Endpoints, salt: str) -> Manifest:
    """The ConfigMap of ready addresses, signed with `salt`."""
    text = canonical(endpoints.model_dump(mode="json")).decode()
    data = {names.ENDPOINTS_KEY: text, names.SIGNATURE_KEY: sign(salt, namespace, text, "endpoints")}
    return _config_map(namespace, names.ENDPOINTS_MAP, data)


def last_config(namespace: str, children: Mapping[Ref, Manifest]) -> Config | None:
    """The Config that was published last.

    None: there is none, it cannot be read (a shard is missing or changed), or its signature is not the operator's.
    """
    text = _signed_text(namespace, children)
    if text is None:
        return None
    try:
        config = Config.model_validate_json(text)
    except ValidationError:
        return None
    return config if config.namespace == namespace else None


def is_foreign(namespace: str, children: Mapping[Ref, Manifest]) -> bool:
    """Whether what is published there is not what the operator published: nothing of it may be kept."""
    return config_ref(namespace) in children and _signed_text(namespace, children) is None


def config_ref(namespace: str) -> Ref:
    """The name of the ConfigMap that tells what is published."""
    return Ref("v1", "ConfigMap", namespace, names.CONFIG_MAP)


def _signed_text(namespace: str, children: Mapping[Ref, Manifest]) -> str | None:
    text = _text(namespace, children)
    signature = _data(namespace, names.CONFIG_MAP, children).get(names.SIGNATURE_KEY, "")
    ours = text is not None and is_signed(known_salt(namespace, children), namespace, text, signature)
    return text if ours else None


def _text(namespace: str, children: Mapping[Ref, Manifest]) -> str | None:
    data = _data(namespace, names.CONFIG_MAP, children)
    if data.get(names.CONFIG_KEY):
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


def _published(namespace: str, signature: str, *, config: str = "", shards: str = "") -> Manifest:
    # The key that is not in use is there, empty: server-side apply takes nothing away that another manager put in.
    data = {names.CONFIG_KEY: config, names.SHARDS_KEY: shards, names.SIGNATURE_KEY: signature}
    return _config_map(namespace, names.CONFIG_MAP, data)


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
