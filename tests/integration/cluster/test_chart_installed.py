"""The chart in a real cluster: installed over CRDs that were there before, upgraded, uninstalled, installed anew."""

from collections.abc import Callable, Iterator

import pytest

from doubles.chart import CHART, helm
from doubles.kube import Api

RELEASE = ("sluice", str(CHART), "--namespace")


@pytest.fixture
def run(api: Api, namespace: str) -> Iterator[Callable[..., str]]:
    """Helm on the cluster, as its administrator; the release is gone after the test, its webhook above all."""
    environment = {**api.environment(), "HELM_CACHE_HOME": api.layout.path("helm-cache")}

    def helm_here(*arguments: str, fails: bool = False) -> str:
        return helm(api.layout.kubebox, *arguments, environment=environment, fails=fails)

    yield helm_here
    helm_here("uninstall", "sluice", "--namespace", namespace, "--ignore-not-found")


def test_a_release_from_install_to_uninstall(api: Api, namespace: str, run: Callable[..., str]) -> None:
    # The fixture applied the CRDs with kubectl: Helm takes them only when told to.
    refused = run("install", *RELEASE, namespace, fails=True)
    assert "CustomResourceDefinition" in refused
    assert "cannot be imported into the current release" in refused

    notes = run("install", *RELEASE, namespace, "--take-ownership")
    assert "Pods labelled sluice.dev/inject=true" in notes
    owner = api.get("crd", "modelroutes.sluice.dev")["metadata"]["annotations"]["meta.helm.sh/release-namespace"]
    assert owner == namespace
    for what in ("deployment", "serviceaccount", "service", "pdb", "networkpolicy"):
        assert api.get(what, "sluice-operator", "-n", namespace)["metadata"]["labels"]["app.kubernetes.io/part-of"]

    route = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": "kept", "namespace": namespace},
        "spec": {"backends": [{"name": "house", "custom": {"url": "http://10.0.0.9/v1", "dialect": "OpenAI"}}]},
    }
    api.apply(route)
    patch = '{"webhooks":[{"name":"inject.sluice.dev","clientConfig":{"caBundle":"Y2E="}}]}'
    api.kubectl("patch", "mutatingwebhookconfiguration", "sluice-inject", "--type=strategic", "-p", patch)

    run("upgrade", *RELEASE, namespace, "--set", "replicas=3")
    assert api.get("deployment", "sluice-operator", "-n", namespace)["spec"]["replicas"] == 3
    webhook = api.get("mutatingwebhookconfiguration", "sluice-inject")["webhooks"][0]
    assert webhook["clientConfig"]["caBundle"] == "Y2E=", "an upgrade took the operator's certificate away"

    run("upgrade", *RELEASE, namespace, "--set", "injection.enabled=false")
    api.kubectl("get", "mutatingwebhookconfiguration", "sluice-inject", fails=True)

    run("uninstall", "sluice", "--namespace", namespace)
    api.kubectl("get", "deployment", "sluice-operator", "-n", namespace, fails=True)
    api.kubectl("get", "clusterrole", "sluice-operator", fails=True)
    assert len(api.get("crd")["items"]) >= 6
    assert api.get("modelroute", "kept", "-n", namespace)["spec"] == route["spec"]

    run("install", *RELEASE, namespace, "--set", "injection.enabled=false")  # the same release adopts by itself


def test_a_pod_of_the_operator_passes_the_restricted_profile(api: Api, namespace: str, run: Callable[..., str]) -> None:
    api.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    run("install", *RELEASE, namespace, "--set", "crds.install=false")
    selector = "app.kubernetes.io/name=sluice-operator"
    api.kubectl("wait", "--for=create", "pod", "-l", selector, "-n", namespace, "--timeout=120s")


def test_roles_in_a_list_of_namespaces_do_what_they_say(api: Api, namespace: str, run: Callable[..., str]) -> None:
    run("install", *RELEASE, namespace, "--set", f"crds.install=false,watch.namespaces={{{namespace}}}")
    account = f"system:serviceaccount:{namespace}:sluice-operator"
    api.kubectl("auth", "can-i", "patch", "deployments", "-n", namespace, "--as", account)
    api.kubectl("auth", "can-i", "get", "secrets", "-n", "default", "--as", account, fails=True)
    api.kubectl("auth", "can-i", "create", "tokenreviews", "--as", account)
