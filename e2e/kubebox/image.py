"""Container images without a container engine: docker-archive tars from folders, files and tars.

The same input gives the same bytes: times are zeroed, entries sorted, owners set to root.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Image:
    """A configuration (OCI's `config`) and uncompressed layers, lowest first."""

    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, archive: Path) -> "Image":
        """The image in a docker-archive tar."""
        with tarfile.open(archive) as tar:
            manifest = json.loads(_member(tar, "manifest.json"))[0]
            config = json.loads(_member(tar, manifest["Config"]))
            return cls(config.get("config") or {}, tuple(_member(tar, name) for name in manifest["Layers"]))

    def add(self, source: Path, destination: str) -> "Image":
        """With one layer more: a file or folder put at `destination`, or a .tar of a root file system."""
        layer = source.read_bytes() if source.suffix == ".tar" else _layer(source, destination.strip("/"))
        return Image(self.config, (*self.layers, layer))

    def set(self, **config: object) -> "Image":
        """With other settings: Entrypoint, Cmd, Env, User, WorkingDir, Labels."""
        return Image({**self.config, **config}, self.layers)

    def write(self, archive: Path, tag: str) -> None:
        """Writes a docker-archive tar, whole or not at all."""
        digests = [hashlib.sha256(layer).hexdigest() for layer in self.layers]
        created = "1970-01-01T00:00:00Z"
        described = {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": dict(self.config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created": created, "created_by": "kubebox"} for _ in digests],
        }
        encoded = json.dumps(described, sort_keys=True).encode()
        name = hashlib.sha256(encoded).hexdigest() + ".json"
        manifest = [{"Config": name, "RepoTags": [tag], "Layers": [f"{digest}/layer.tar" for digest in digests]}]
        members = {f"{digest}/layer.tar": layer for digest, layer in zip(digests, self.layers, strict=True)}
        part = archive.with_suffix(".part")
        with tarfile.open(part, "w") as tar:
            for path, content in {name: encoded, **members, "manifest.json": json.dumps(manifest).encode()}.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        part.replace(archive)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(name)
    if found is None:
        raise ValueError(f"the archive has no file {name}")
    return found.read()


def _clean(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _layer(source: Path, destination: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for parent in _parents(destination, whole=source.is_dir()):
            folder = tarfile.TarInfo(parent)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(_clean(folder))
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                tar.add(path, f"{destination}/{path.relative_to(source)}", recursive=False, filter=_clean)
        else:
            tar.add(source, destination, filter=_clean)
    return out.getvalue()


def _parents(destination: str, *, whole: bool) -> Sequence[str]:
    steps = destination.split("/") if whole else destination.split("/")[:-1]
    return ["/".join(steps[:depth]) for depth in range(1, len(steps) + 1) if steps[depth - 1]]
