"""The Helm chart as a test sees it: rendered, linted and installed by the real Helm."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "charts" / "sluice"


def helm(kubebox: str | Path, *arguments: str, environment: Mapping[str, str], fails: bool = False) -> str:
    """What Helm printed. Raises AssertionError where it fails, or, `fails`, does not."""
    done = subprocess.run(
        [str(kubebox), "helm", *arguments], env=dict(environment), text=True, capture_output=True, timeout=300
    )
    assert (done.returncode != 0) == fails, f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if fails else "")


def objects(manifest: str) -> list[dict[str, Any]]:
    """The objects of rendered text."""
    return [data for data in yaml.safe_load_all(manifest) if data]


def one(found: Sequence[dict[str, Any]], kind: str, name: str = "sluice-operator") -> dict[str, Any]:
    """The only object of that kind and name."""
    (wanted,) = [data for data in found if data["kind"] == kind and data["metadata"]["name"] == name]
    return wanted
