"""Secret values of a gateway in a cluster: the aggregated Secret, the mounted store folder, the pod's own token.

The same interface as `credentials.Credentials`. A sidecar never takes the Secret, so it holds no provider's credential.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from sluice_sidecar.cluster.places import (
    CREDENTIALS_INDEX,
    CREDENTIALS_SALT,
    CREDENTIALS_SECRET,
    STORE_SECRET,
    Places,
)
from sluice_sidecar.config import Credential
from sluice_sidecar.credentials import stamp
from sluice_sidecar.signature import Signed, is_signed

RELAY = Credential(secret="sluice-relay", key="token")  # noqa: S106  (a name)
"""Reference to the pod's own token: what a relayed call is made with."""


@dataclass(frozen=True, slots=True)
class _Entry:
    version: str
    hosts: tuple[str, ...]


class ClusterCredentials:
    """`version` grows with each change. `relay` is the host:port that the pod's own token may be sent to, if to any."""

    def __init__(self, places: Places, *, relay: str | None = None) -> None:
        self._places, self._relay = places, relay
        self._secret: Mapping[str, str] = {}
        self._index: Mapping[str, _Entry] = {}
        self._mounted: Mapping[tuple[str, str], str] = {}
        self._salt: str | None = None
        self._seen: object = None
        self._told = False
        self.version = 0
        self.refresh()

    def take(self, data: Mapping[str, str]) -> None:
        """Takes the aggregated Secret's `data` (base64). Raises ValueError for one that cannot be read."""
        try:
            plain = {name: base64.b64decode(value, validate=True) for name, value in data.items()}
            index = orjson.loads(plain.get(CREDENTIALS_INDEX, b"{}"))
            entries = {
                name: _Entry(str(entry["version"]), tuple(str(host).lower() for host in entry.get("hosts", ())))
                for name, entry in index.items()
            }
            values = {name: plain[name].decode() for name in entries if name in plain}
            salt = plain.get(CREDENTIALS_SALT, b"").decode()
        except (binascii.Error, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError):
            # the cause may show a value
            raise ValueError(f"Secret {CREDENTIALS_SECRET} cannot be read: the operator will write it anew") from None
        if (values, entries, salt) != (self._secret, self._index, self._salt):
            self._secret, self._index, self._salt, self._told = values, entries, salt, True

    @property
    def taken(self) -> bool:
        """Whether the aggregated Secret was taken: until then there is no credential here to protect."""
        return self._salt is not None

    def signed(self, namespace: str, text: str, signature: str, what: Signed = "config") -> bool:
        """Whether the operator signed this text for this namespace; False before the Secret was taken."""
        return is_signed(self._salt or "", namespace, text, signature, what)

    def get(self, secret: str, key: str) -> str | None:
        """The value of one reference; None when it is missing or empty."""
        return self._mounted.get((secret, key)) or self._secret.get(f"{secret}_{key}") or None

    def entries(self, secret: str) -> dict[str, str]:
        """All of a secret's entries by key."""
        start = secret + "_"
        return {name[len(start) :]: value for name, value in self._secret.items() if name.startswith(start)}

    def where(self, secret: str, key: str) -> str:
        """Where a reference is looked for, for messages."""
        if secret == STORE_SECRET:
            return f"file {self._places.store / key}"
        return f"key {key} of Secret {secret}, labelled sluice.dev/credential=true"

    def hosts(self, secret: str, key: str) -> tuple[str, ...] | None:
        """Hosts (`host` or `host:port`) that a value may be sent to. None: wherever the Config says."""
        if (secret, key) == (RELAY.secret, RELAY.key):
            return () if self._relay is None else (self._relay,)
        if secret == STORE_SECRET:
            return None
        entry = self._index.get(f"{secret}_{key}")
        return () if entry is None else entry.hosts

    def holds(self, credential: Credential) -> bool:
        """Whether the value is here in the version that the Config names; where it names none, whatever is here."""
        if credential.version is None or credential.secret == STORE_SECRET:
            return True
        entry = self._index.get(f"{credential.secret}_{credential.key}")
        return entry is not None and entry.version == credential.version

    def holds_keys(self, secret: str, version: str | None) -> bool:
        """The same for a secret of callers' keys, whose own entry of the index has the version of all of it."""
        entry = self._index.get(secret)
        return version is None or (entry is not None and entry.version == version)

    def refresh(self) -> bool:
        """Looks at the mounted files again; True when anything changed since the last call, the Secret included."""
        changed, self._told = self._told, False
        files = _files(self._places)
        seen = [(file, stamp(file)) for file in files.values()]
        if seen != self._seen:
            self._seen = seen
            mounted = {reference: text for reference, file in files.items() if (text := _text(file))}
            changed = changed or mounted != self._mounted
            self._mounted = mounted
        if changed:
            self.version += 1
        return changed


def _files(places: Places) -> dict[tuple[str, str], Path]:
    files = {(RELAY.secret, RELAY.key): places.token}
    if places.store.is_dir():
        for file in sorted(places.store.iterdir()):
            if not file.name.startswith("."):  # a mount's own machinery
                files[STORE_SECRET, file.name] = file
    return files


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""  # swapped away between listing and reading, or binary: missing, as whoever needs it will say
