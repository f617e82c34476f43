"""The chart's life: tested, upgraded, taken out and put in again, while gateways serve."""

import pytest

from e2e import workloads
from e2e.conftest import Record
from e2e.installation import CHART, PATIENT, SYSTEM, helm, install, values
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)


def made(api: Kube, namespace: str) -> dict[str, str]:
    """What runs in the namespace, by name, each with its id."""
    found = api.get("deployments,services,configmaps,secrets,modelroutes,pods", "-n", namespace)["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found}


def test_the_chart_tests_itself(installed: Kube) -> None:
    assert "Succeeded" in helm(installed, "test", "sluice", "--namespace", SYSTEM, "--timeout", "300s")


def test_an_upgrade_drops_nothing_and_rolls_no_gateway(installed: Kube, loaded: str, record: Record) -> None:
    workloads.served(installed, loaded)
    before = made(installed, loaded)
    with workloads.load(installed, loaded, workloads.shared(loaded)) as load:
        changed = [*values(), "--set", "logLevel=debug", *PATIENT]
        helm(installed, "upgrade", "sluice", str(CHART), "--namespace", SYSTEM, *changed)
        workloads.change(installed, loaded, "upgraded")
    counted = load.counted
    record("helm upgrade, and a change after", "shared", counted)
    assert "upgraded" in counted.versions
    assert (counted.failed, counted.mixed) == (0, 0), counted
    assert made(installed, loaded) == before
    assert "debug" in installed.kubectl("get", "deployment", "sluice-operator", "-n", SYSTEM, "-o", "yaml")


def test_gateways_outlive_an_uninstall_and_are_adopted(installed: Kube, loaded: str, record: Record) -> None:
    before = made(installed, loaded)
    with workloads.load(installed, loaded, workloads.shared(loaded)) as load:
        helm(installed, "uninstall", "sluice", "--namespace", SYSTEM, "--wait")
        of_operator = ("-n", SYSTEM, "-l", "app.kubernetes.io/name=sluice-operator")
        workloads.until("the operator's end", lambda: not installed.get("pods", *of_operator)["items"])
        assert made(installed, loaded) == before
        install(installed)
        workloads.change(installed, loaded, "adopted")
    counted = load.counted
    record("helm uninstall, helm install, and a change after", "shared", counted)
    assert "adopted" in counted.versions
    assert (counted.failed, counted.mixed) == (0, 0), counted
    assert made(installed, loaded) == before
