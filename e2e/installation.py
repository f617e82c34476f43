"""The cluster that the tests use, one of kubebox or one that the environment names, and the chart in it.

A cluster that is not ours is used only where SLUICE_E2E_IMAGES says so: it is the pattern of our images' names there,
`registry.example.com/team/sluice-{}:1`, and KUBECONFIG says which cluster. Nothing is touched in it that this run did
not make: namespaces are created, never applied, and carry a label by which they are deleted; a cluster that knows
Sluice's kinds already is refused.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from e2e.images.build import IMAGES, archive, build, tag
from e2e.kube import Kube
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "charts" / "sluice"
SYSTEM = "sluice-system"
PATTERN = "SLUICE_E2E_IMAGES"
PATIENT = ("--wait", "--timeout", "300s")
MADE = "sluice.dev/e2e"
"""Label of the namespaces that a run makes."""
NEEDED = (*IMAGES, "app", "redis")


def image(name: str) -> str:
    """What a node pulls: gateway, operator, llama, app, redis."""
    pattern = os.environ.get(PATTERN)
    return pattern.format(name) if pattern else tag(name)


@contextmanager
def own(folder: Path) -> Iterator[Kube]:
    """A cluster of kubebox in `folder`, with a node and our images, gone at the end."""
    build(*NEEDED)
    layout = cluster.up(folder, binaries(), node=True)
    try:
        cluster.load(layout, [archive(name) for name in NEEDED])
        yield Kube(Path(layout.kubeconfig), binaries(), Path(layout.path("cache")))
    finally:
        cluster.down(folder)


@contextmanager
def existing(kubeconfig: str, folder: Path) -> Iterator[Kube]:
    """The cluster of a kubeconfig; what was made in it is deleted at the end. Raises AssertionError for one in use."""
    api = Kube(Path(kubeconfig).resolve(), binaries(), folder)
    there = [*_kinds(api), *api.kubectl("get", "namespace", SYSTEM, "--ignore-not-found", "-o", "name").split()]
    assert not there, f"the cluster has {', '.join(there)}: the tests need one without Sluice, and touch none with it"
    try:
        yield api
    finally:
        with suppress(AssertionError):  # no release, where the chart was never installed
            helm(api, "uninstall", "sluice", "--namespace", SYSTEM, "--wait")
        api.kubectl("delete", "namespace", "-l", MADE, "--timeout=300s", timeout=320)
        for kind in _kinds(api):
            api.kubectl("delete", kind)


def _kinds(api: Kube) -> list[str]:
    return [crd for crd in api.kubectl("get", "crd", "-o", "name").split() if crd.endswith(".sluice.dev")]


def make_namespace(api: Kube, name: str) -> str:
    """Makes a namespace. Raises AssertionError where there is one of that name."""
    about = {"name": name, "labels": {MADE: "true"}}
    api.kubectl("create", "-f", "-", given={"apiVersion": "v1", "kind": "Namespace", "metadata": about})
    return name


def helm(api: Kube, *arguments: str) -> str:
    """What helm printed. Raises AssertionError where it fails."""
    command = ["helm", *arguments]
    done = subprocess.run(command, env=api.environment(), text=True, capture_output=True, timeout=330)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def values() -> list[str]:
    """The chart's values for images that were built here."""
    repository, _, version = image("operator").rpartition(":")
    given = {"image.repository": repository, "image.tag": version}
    given |= {"images.gateway": image("gateway"), "images.llamaCpp": image("llama"), "images.redis": image("redis")}
    return [part for name, value in given.items() for part in ("--set", f"{name}={value}")]


def install(api: Kube) -> None:
    """Installs the chart into its namespace, which is there, and waits for the operator. Raises AssertionError."""
    try:
        helm(api, "install", "sluice", str(CHART), "--namespace", SYSTEM, *values(), *PATIENT)
    except AssertionError as failed:
        pods = api.kubectl("get", "pods", "-n", SYSTEM, "-o", "wide")
        logs = api.kubectl("logs", "-n", SYSTEM, "-l", "app.kubernetes.io/name=sluice-operator", "--tail=30")
        raise AssertionError(f"{failed}\n{pods}\n{logs}") from None
