"""No request is dropped, and none is answered by a mix of configurations, while things change under load."""

import pytest

from e2e import workloads
from e2e.conftest import Record
from e2e.installation import SYSTEM
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)

CHANGES = 10


@pytest.mark.parametrize("gateway", ["shared", "injected"])
def test_changes_of_a_route_drop_nothing(installed: Kube, loaded: str, gateway: str, record: Record) -> None:
    url = workloads.shared(loaded) if gateway == "shared" else workloads.SIDECAR
    with workloads.load(installed, loaded, url) as load:
        for n in range(CHANGES):
            workloads.change(installed, loaded, f"{gateway}-{n}")
            load.round()
    counted = load.counted
    record(f"{CHANGES} changes of a route", gateway, counted)
    assert {f"{gateway}-{n}" for n in range(CHANGES)} <= set(counted.versions), "a change was not served"
    assert (counted.failed, counted.mixed) == (0, 0), counted


def test_a_deleted_operator_drops_nothing(installed: Kube, loaded: str, record: Record) -> None:
    gone = leader(installed)
    with workloads.load(installed, loaded, workloads.shared(loaded)) as load:
        installed.kubectl("delete", "pod", "-n", SYSTEM, gone, "--grace-period=0", "--force")
        workloads.until("a new leader", lambda: leader(installed) not in ("", gone))
        workloads.change(installed, loaded, "succeeded")
    counted = load.counted
    record("leading operator deleted, and a change by its successor", "shared", counted)
    assert "succeeded" in counted.versions
    assert (counted.failed, counted.mixed) == (0, 0), counted


def test_a_restarted_operator_drops_nothing(installed: Kube, loaded: str, record: Record) -> None:
    with workloads.load(installed, loaded, workloads.SIDECAR) as load:
        installed.kubectl("rollout", "restart", "-n", SYSTEM, "deployment/sluice-operator")
        installed.kubectl(
            "rollout", "status", "-n", SYSTEM, "deployment/sluice-operator", "--timeout=300s", timeout=320
        )
        workloads.change(installed, loaded, "restarted")
    counted = load.counted
    record("operator restarted, and a change after", "injected", counted)
    assert "restarted" in counted.versions
    assert (counted.failed, counted.mixed) == (0, 0), counted


def test_a_rollout_of_the_gateways_drops_nothing(installed: Kube, loaded: str, record: Record) -> None:
    before = pods(installed, loaded)
    with workloads.load(installed, loaded, workloads.shared(loaded)) as load:
        installed.kubectl("rollout", "restart", "-n", loaded, "deployment/sluice-gateway")
        installed.kubectl("rollout", "status", "-n", loaded, "deployment/sluice-gateway", "--timeout=300s", timeout=320)
        workloads.until("the end of the old gateways", lambda: not before & pods(installed, loaded))
    counted = load.counted
    record("rollout of 2 gateways", "shared", counted)
    assert (counted.failed, counted.mixed) == (0, 0), counted


def leader(api: Kube) -> str:
    """The operator's pod that leads, "" where none does."""
    holder = api.get("lease", "sluice-operator", "-n", SYSTEM)["spec"].get("holderIdentity") or ""
    return str(holder).split("_")[0]


def pods(api: Kube, namespace: str) -> set[str]:
    """The shared gateways' pods, leaving ones too."""
    found = api.get("pods", "-n", namespace, "-l", "sluice.dev/gateway=shared")["items"]
    return {pod["metadata"]["uid"] for pod in found}
