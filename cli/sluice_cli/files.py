"""Files and folders of kinds, read strictly: every problem of every file at once, each with file, line and field."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluice_cli.yaml_tree import Document, documents
from sluice_operator.compile import Compiled
from sluice_operator.compile import compile as compile_kinds
from sluice_operator.problem import Problem
from sluice_operator.resource import Resource, parse
from sluice_sidecar.config import Config

MAX_BYTES = 4 * 1024 * 1024
SUFFIXES = frozenset({".yaml", ".yml", ".json"})
"""What is read of a folder. A file that is named itself may have any."""

_LIST = ("v1", "List")


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and where it stands; its text is one line that an editor can jump to."""

    file: str
    line: int | None
    problem: Problem

    def __str__(self) -> str:
        """`file:line: Kind/name: field.path: what is wrong; allowed: ...; did you mean ...?`."""
        return f"{self.file}:{self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


@dataclass(frozen=True, slots=True)
class _Origin:
    file: str
    document: Document


@dataclass(slots=True)
class Loaded:
    """The objects of some files. `findings` are problems of files; those of objects are the resources' own."""

    resources: list[Resource] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    origins: dict[tuple[str, str, str], _Origin] = field(default_factory=dict)

    def finding(self, problem: Problem) -> Finding:
        """Where a problem that `compile` found stands."""
        origin = self.origins.get((problem.kind, problem.namespace, problem.name))
        if origin is None:
            return Finding("?", None, problem)
        return Finding(origin.file, origin.document.line_of(problem.field), problem)


@dataclass(frozen=True, slots=True)
class Checked:
    """Files, compiled, with every problem in its place."""

    compiled: Compiled
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    files: tuple[Path, ...]


def check(paths: Iterable[Path], last: Config | None = None) -> Checked:
    """Read and compile files and folders. Nothing of it may be served while there are errors."""
    loaded = load(paths)
    compiled = compile_kinds(loaded.resources, last)
    found = sorted([*loaded.findings, *map(loaded.finding, compiled.problems)], key=_place)
    errors = tuple(finding for finding in found if finding.problem.severity == "error")
    warnings = tuple(finding for finding in found if finding.problem.severity == "warning")
    return Checked(compiled, errors, warnings, tuple(loaded.files))


def load(paths: Iterable[Path]) -> Loaded:
    """Every object in these files, and in the .yaml, .yml and .json files below these folders."""
    loaded = Loaded()
    for path in _files(paths, loaded):
        loaded.files.append(path)
        text = _text(path, loaded)
        if text is not None:
            _read(path, text, loaded)
    return loaded


def _place(finding: Finding) -> tuple[str, int, str]:
    return (finding.file, finding.line or 0, str(finding.problem))


def _refuse(loaded: Loaded, path: Path, message: str, line: int | None = None) -> None:
    loaded.findings.append(Finding(str(path), line, Problem("error", "", "", "", "InvalidFile", message)))


def _files(paths: Iterable[Path], loaded: Loaded) -> Iterator[Path]:
    """Files to read, each once, a folder's in the order of their names; hidden ones are left out."""
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = [file for file in _walk(path) if file.suffix.lower() in SUFFIXES]
            if not found:
                _refuse(loaded, path, f"no file in this folder ends in {', '.join(sorted(SUFFIXES))}")
        else:
            found = [path]
        for file in found:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _text(path: Path, loaded: Loaded) -> str | None:
    """The file's text; None, with a finding, when it cannot be had."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(loaded, path, f"cannot be read: {error.strerror or error}")
        return None
    if len(content) > MAX_BYTES:
        _refuse(loaded, path, f"larger than {MAX_BYTES // 1024 // 1024} MB; split it")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(loaded, path, f"not UTF-8: byte 0x{content[error.start]:02x}; save it as UTF-8", line)
        return None
    if not text.strip():
        _refuse(loaded, path, "empty")
        return None
    return text


def _read(path: Path, text: str, loaded: Loaded) -> None:
    before = len(loaded.resources) + len(loaded.findings)
    for document in documents(text):
        for one in _unlisted(document):
            _add(path, one, loaded)
    if len(loaded.resources) + len(loaded.findings) == before:
        _refuse(loaded, path, "holds no object, only comments or empty documents", 1)


def _unlisted(document: Document) -> Iterator[Document]:
    """The document; or the entries of a List, as `kubectl get -o yaml` writes it."""
    data = document.data
    if not (isinstance(data, dict) and (data.get("apiVersion"), data.get("kind")) == _LIST):
        yield document
        return
    for index, item in enumerate(data["items"] if isinstance(data.get("items"), list) else []):
        at = f"items[{index}]"
        lines = {path[len(at) + 1 :]: line for path, line in document.lines.items() if path.startswith(at + ".")}
        flaws = [flaw for flaw in document.flaws if flaw.path.startswith(at)] if index else document.flaws
        yield Document(item, document.lines[at], lines, flaws)


def _add(path: Path, document: Document, loaded: Loaded) -> None:
    data = document.data
    if not isinstance(data, dict):
        for flaw in document.flaws:
            _refuse(loaded, path, flaw.message, flaw.line)
        if data is not None:
            _refuse(loaded, path, "not an object with apiVersion, kind, metadata and spec", document.line)
        return
    _anchor_paths(data, path.parent)
    resource = parse(data, order=len(loaded.resources))
    kind, name = (resource.kind, resource.name) if resource.kind != "?" else ("", "")
    for flaw in document.flaws:
        problem = Problem("error", kind, name, flaw.path, "InvalidYaml", flaw.message)
        loaded.findings.append(Finding(str(path), flaw.line, problem))
    key = (resource.kind, resource.namespace or "default", resource.name)
    if resource.name == "?" or resource.kind == "?":
        # Nothing can name it, so its problems are told here and it goes no further.
        origin = _Origin(str(path), document)
        loaded.findings += [Finding(origin.file, document.line_of(p.field), p) for p in resource.problems]
    elif key in loaded.origins:
        first = loaded.origins[key]
        message = f"a second {kind} of this name; the first is at {first.file}:{first.document.line}"
        problem = Problem("error", kind, name, "metadata.name", "DuplicateName", message)
        loaded.findings.append(Finding(str(path), document.line_of("metadata.name"), problem))
    else:
        loaded.origins[key] = _Origin(str(path), document)
        loaded.resources.append(resource)


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    """A relative hostPath counts from its file's folder, wherever `sluice` is started."""
    found: Any = data
    for step in ("spec", "source", "hostPath"):
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, dict) and isinstance(found.get("path"), str) and found["path"]:
        found["path"] = str(folder.resolve() / found["path"])
