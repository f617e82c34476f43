"""A real API server for a test, and kubectl on it."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.kubebox.layout import Layout


@dataclass(frozen=True)
class Api:
    """A running cluster; `layout` names its paths and ports."""

    layout: Layout

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return Path(self.layout.kubeconfig)

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.layout.port}"

    def environment(self) -> dict[str, str]:
        """What kubectl and helm need."""
        return {
            **os.environ,
            "KUBECONFIG": self.layout.kubeconfig,
            "KUBECACHEDIR": self.layout.path("cache"),
            "PATH": f"{Path(self.layout.kubebox).parent}:{os.environ['PATH']}",
        }

    def kubectl(
        self, *arguments: str, given: str | Mapping[str, Any] | Iterable[Any] | None = None, fails: bool = False
    ) -> str:
        """What kubectl printed. `given` may be data. Raises AssertionError where it fails, or, `fails`, does not."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        done = subprocess.run(
            [self.layout.kubebox, "kubectl", *arguments],
            env=self.environment(),
            input=text,
            text=True,
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode != 0) == fails, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    def get(self, *what: str) -> dict[str, Any]:
        """An object, or a list of them, as data."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *what, "-o", "json"))
        return found

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Server-side apply."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=items)
