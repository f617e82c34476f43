"""Objects of the kinds that an API server accepts, or refuses with a known field and cure; read from YAML."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "integration" / "cluster" / "corpus"


@dataclass(frozen=True)
class Case:
    """One object; `field` and `says` are "" where it is valid."""

    title: str
    data: Mapping[str, Any]
    field: str = ""
    says: str = ""


def valid() -> list[Case]:
    """Every object that is accepted."""
    found = []
    for path in sorted((FOLDER / "valid").glob("*.yaml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        for number, spec in enumerate(written["specs"]):
            found.append(Case(f"{path.stem}-{number}", _object(written, written.get("name", f"case-{number}"), spec)))
    return found


def invalid() -> list[Case]:
    """Every object that is refused."""
    found = []
    for path in sorted((FOLDER / "invalid").glob("*.yaml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        for number, case in enumerate(written["cases"]):
            spec = copy.deepcopy(written["spec"])
            for at, value in case.get("set", {}).items():
                parent, last = _parent(spec, at)
                parent[last] = value
            for at in case.get("drop", ()):
                parent, last = _parent(spec, at)
                del parent[last]
            name = case.get("name", written.get("name", "case"))
            title = f"{path.stem}-{number}-{case['field']}"
            found.append(Case(title, _object(written, name, spec), case["field"], case["says"]))
    return found


def _object(written: Mapping[str, Any], name: str, spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": written["kind"],
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def _parent(spec: Any, at: str) -> tuple[Any, Any]:
    """What holds the last step of a path such as backends[0].name, and that step."""
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", at)]
    for step in steps[:-1]:
        spec = spec[step]
    return spec, steps[-1]
