"""One cluster with a node for all tests that need pods, the chart in it, and a route to a server that tells names."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest

from doubles.components import require
from e2e import workloads
from e2e.installation import PATTERN, ROOT, SYSTEM, existing, install, make_namespace, own
from e2e.kube import Kube
from e2e.reliability import describe

ROUTED = "sluice-e2e-routed"
FOUND = ROOT / "build" / "e2e" / "reliability.json"
"""Where a run's counts are; `python -m e2e.reliability` makes the page of them."""
Record = Callable[[str, str, workloads.Counted], None]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """A cluster that runs pods, with our images: kubebox's, or the one of KUBECONFIG where SLUICE_E2E_IMAGES is set."""
    folder = tmp_path_factory.mktemp("node") / "cluster"
    if PATTERN in os.environ:
        with existing(os.environ["KUBECONFIG"], folder) as api:
            yield api
        return
    needed = os.geteuid() == 0 and shutil.which("containerd") and shutil.which("buildah")
    require(needed, "containerd and buildah as root", "make cluster-packages")
    with own(folder) as api:
        yield api


@pytest.fixture(scope="session")
def installed(node: Kube) -> Kube:
    """The cluster with the chart installed and its operator available."""
    make_namespace(node, SYSTEM)
    install(node)
    return node


@pytest.fixture(scope="session")
def routed(installed: Kube) -> str:
    """A namespace whose route `auto` is served, by two shared gateways, from the test's own model server."""
    make_namespace(installed, ROUTED)
    installed.apply(*workloads.upstream(ROUTED))
    address = installed.get("service", "upstream", "-n", ROUTED)["spec"]["clusterIP"]
    installed.apply(workloads.route(ROUTED, "v0"), workloads.gateways(ROUTED, replicas=2, allow=f"{address}/32"))
    installed.kubectl("rollout", "status", "-n", ROUTED, "deployment/upstream", "--timeout=300s", timeout=320)
    workloads.served(installed, ROUTED)
    return ROUTED


@pytest.fixture(scope="session")
def loaded(installed: Kube, routed: str) -> str:
    """The namespace, with a pod that sends the load: a gateway is injected into it."""
    installed.apply(workloads.deployment(routed, "load", workloads.pod("wait", grace=1)))
    installed.kubectl("rollout", "status", "-n", routed, "deployment/load", "--timeout=300s", timeout=320)
    workloads.served(installed, routed)
    return routed


@pytest.fixture(scope="session")
def record(node: Kube) -> Iterator[Record]:
    """Keeps what a load counted: during what, through which gateway. Written when the tests have ended."""
    rows: list[dict[str, object]] = []

    def keep(event: str, gateway: str, counted: workloads.Counted) -> None:
        rows.append({"event": event, "gateway": gateway, **asdict(counted)})

    kubernetes = json.loads(node.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    yield keep
    FOUND.parent.mkdir(parents=True, exist_ok=True)
    FOUND.write_text(json.dumps({"about": describe(kubernetes), "rows": rows}, indent=1) + "\n")


def line(printed: str) -> dict[str, object]:
    """The last line that the application printed."""
    found: dict[str, object] = json.loads(printed.splitlines()[-1])
    return found
