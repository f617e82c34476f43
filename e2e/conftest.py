"""A real cluster with a node for the tests that need pods, and the chart in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.components import require
from doubles.kube import Api
from e2e.images.build import IMAGES, archive, build, tag
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries

ROOT = Path(__file__).resolve().parents[1]
SYSTEM = "sluice-system"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A cluster that runs pods, with our images in its node."""
    cure = (
        "apt-get install containerd runc containernetworking-plugins iptables nftables buildah busybox-static, as root"
    )
    require(os.geteuid() == 0 and shutil.which("containerd") and shutil.which("buildah"), "containerd as root", cure)
    build(*IMAGES, "app")
    folder = tmp_path_factory.mktemp("node") / "cluster"
    layout = cluster.up(folder, binaries(), node=True)
    try:
        cluster.load(layout, [archive(name) for name in (*IMAGES, "app")])
        yield Api(layout)
    finally:
        cluster.down(folder)


def helm(api: Api, *arguments: str) -> str:
    """What helm printed. Raises AssertionError where it fails."""
    command = ["helm", *arguments]
    done = subprocess.run(command, env=api.environment(), text=True, capture_output=True, timeout=240)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def values() -> list[str]:
    """The chart's values for images that were built here."""
    repository, _, version = tag("operator").partition(":")
    images = {"image.repository": repository, "image.tag": version}
    images |= {"images.gateway": tag("gateway"), "images.llamaCpp": tag("llama")}
    return [part for name, value in images.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture(scope="session")
def installed(node: Api) -> Api:
    """The cluster with the chart installed and its operator available."""
    chart = str(ROOT / "charts" / "sluice")
    arguments = ["sluice", chart, "--namespace", SYSTEM, "--create-namespace", *values(), "--wait", "--timeout", "180s"]
    try:
        helm(node, "install", *arguments)
    except AssertionError as failed:
        pods = node.kubectl("get", "pods", "-n", SYSTEM, "-o", "wide")
        logs = node.kubectl("logs", "-n", SYSTEM, "-l", "app.kubernetes.io/name=sluice-operator", "--tail=30")
        raise AssertionError(f"{failed}\n{pods}\n{logs}") from None
    return node
