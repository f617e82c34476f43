"""kubectl on a cluster."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class Kube:
    """kubectl on a cluster: `kubeconfig` says which, `binaries` is the folder of kubebox, `cache` kubectl's own."""

    def __init__(self, kubeconfig: Path, binaries: Path, cache: Path) -> None:
        self.kubeconfig = kubeconfig
        self.binaries, self._cache = binaries, cache

    def environment(self) -> dict[str, str]:
        """What kubectl and helm need."""
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self._cache),
            "PATH": f"{self.binaries}:{os.environ['PATH']}",
        }

    def kubectl(
        self,
        *arguments: str,
        given: str | Mapping[str, Any] | Iterable[Any] | None = None,
        fails: bool = False,
        timeout: float = 120,
    ) -> str:
        """What kubectl printed. `given` may be data. Raises AssertionError where it fails, or, `fails`, does not."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        done = subprocess.run(
            [str(self.binaries / "kubebox"), "kubectl", *arguments],
            env=self.environment(),
            input=text,
            text=True,
            capture_output=True,
            timeout=timeout,
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
