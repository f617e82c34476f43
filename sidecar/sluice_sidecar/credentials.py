"""Secret values for `{secret, key}` references: from the environment and a .env file, or from a mounted folder.

A value is held in memory only and never logged; what is missing is None, and the caller says which reference it was.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

PREFIX = "SLUICE_SECRET_"
"""What names of environment variables that hold secrets start with."""


def variable(secret: str, key: str) -> str:
    """The environment variable of a reference: openai, token -> SLUICE_SECRET_OPENAI_TOKEN."""
    return f"{PREFIX}{_shout(secret)}_{_shout(key)}"


def _shout(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does: modification time (ns), inode and size of what `path` leads to; None: no file."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


class SecretSource(Protocol):
    """What a gateway needs of whatever holds its secret values."""

    @property
    def version(self) -> int:
        """Grows when a value changed."""

    def get(self, secret: str, key: str) -> str | None:
        """The value of a reference; None when it is missing or empty."""

    def entries(self, secret: str) -> dict[str, str]:
        """All of a secret's entries by key."""

    def where(self, secret: str, key: str) -> str:
        """Where a reference is looked for, for messages."""

    def hosts(self, secret: str, key: str) -> tuple[str, ...] | None:
        """Hosts (`host` or `host:port`) that a value may be sent to; None: wherever the Config says."""


class Credentials:
    """One source of secret values; `version` grows with each change that `refresh` found.

    With `folder`, a value is the file FOLDER/SECRET/KEY, as Kubernetes mounts a Secret, and nothing else is looked at.
    Without it, values come from `environ`, then from `env_file`; a variable that is set, even to nothing, wins.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        env_file: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self._env_file, self._folder = env_file, folder
        self._seen: object = None
        self._values: Mapping[str, str] = MappingProxyType({})
        self._found: dict[tuple[str, str], str | None] = {}
        self.version = 0
        self.refresh()

    def get(self, secret: str, key: str) -> str | None:
        """The value of one reference; None when it is missing or empty. A dictionary look-up once it was asked for."""
        try:
            return self._found[secret, key]
        except KeyError:
            value = self._values.get(self._name(secret, key)) or None
            self._found[secret, key] = value
            return value

    def entries(self, secret: str) -> dict[str, str]:
        """All of a secret's entries by key.

        Variable names have no lower case and no hyphen: SLUICE_SECRET_KEYS_TEAM_A is the entry `team-a` of `keys`.
        """
        if self._folder is not None:
            start = secret + "/"
            return {name[len(start) :]: value for name, value in self._values.items() if name.startswith(start)}
        start = variable(secret, "")
        return {
            name[len(start) :].lower().replace("_", "-"): value
            for name, value in self._values.items()
            if name.startswith(start) and len(name) > len(start) and value
        }

    def where(self, secret: str, key: str) -> str:
        """Where a reference is looked for, for messages that tell how to mend a missing one."""
        if self._folder is not None:
            return f"file {self._folder / secret / key}"
        file = f" or in {self._env_file}" if self._env_file is not None else ""
        return f"variable {variable(secret, key)} (environment{file})"

    def hosts(self, secret: str, key: str) -> tuple[str, ...] | None:
        """None: whoever starts the gateway writes both the Config and the values."""
        return None

    def refresh(self) -> bool:
        """Reads the file or folder again if it changed; True when a value did. Costs a stat a file when nothing did."""
        seen = self._stamps()
        if seen == self._seen and self.version:
            return False
        self._seen = seen
        values = self._read_folder(self._folder) if self._folder is not None else self._read_environment()
        if self.version and values == self._values:
            return False
        self._values, self._found = values, {}
        self.version += 1
        return True

    def _name(self, secret: str, key: str) -> str:
        return f"{secret}/{key}" if self._folder is not None else variable(secret, key)

    def _stamps(self) -> object:
        if self._folder is not None:
            return tuple((file, stamp(file)) for file in _secret_files(self._folder))
        return stamp(self._env_file) if self._env_file is not None else None

    def _read_environment(self) -> dict[str, str]:
        file: Mapping[str, str | None] = {}
        if self._env_file is not None and self._env_file.is_file():
            from dotenv import dotenv_values

            file = dotenv_values(self._env_file, interpolate=False)
        values = {name: value for name, value in file.items() if name.startswith(PREFIX) and value is not None}
        return values | {name: value for name, value in self._environ.items() if name.startswith(PREFIX)}

    @staticmethod
    def _read_folder(folder: Path) -> dict[str, str]:
        values = {}
        for file in _secret_files(folder):
            try:
                values[f"{file.parent.name}/{file.name}"] = file.read_text("utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError):
                continue  # swapped away between listing and reading, or binary: missing, as the caller will say
        return values


def _secret_files(folder: Path) -> list[Path]:
    """FOLDER/SECRET/KEY files; names with a leading dot are a mount's own machinery."""
    return sorted(
        file
        for file in folder.glob("*/*")
        if not file.name.startswith(".") and not file.parent.name.startswith(".") and file.is_file()
    )
