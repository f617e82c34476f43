"""The real API server calls the webhook: pods come out patched, refused with their cure, or as they were."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from doubles.admission import Served, annotated, made, serving
from doubles.bound_tokens import pod
from doubles.kube import Api
from sluice_operator.admission import inject
from sluice_operator.admission.review import Inject, Injection
from sluice_operator.admission.tls import ca_bundle
from sluice_operator.admission.webhook import ca_intent
from sluice_operator.installation import Installation

ASKS = {"sluice.dev/inject": "true"}
Hook = dict[str, Any]


@pytest.fixture
def hook(api: Api, namespace: str) -> Iterator[Hook]:
    """The chart's configuration, for this namespace and by address; gone at the end."""
    yield {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"inject-{namespace}"},
        "webhooks": [
            {
                "name": "inject.sluice.dev",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 3,
                "failurePolicy": "Fail",
                "clientConfig": {"url": ""},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "objectSelector": {"matchLabels": ASKS},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            }
        ],
    }
    api.kubectl("delete", "mutatingwebhookconfiguration", f"inject-{namespace}", "--ignore-not-found")


async def kubectl(api: Api, *arguments: str, given: Any = None, fails: bool = False) -> str:
    """The server of this process answers meanwhile."""
    return await asyncio.to_thread(api.kubectl, *arguments, given=given, fails=fails)


def trust(api: Api, hook: Hook, bundle: str) -> None:
    """What the leader does."""
    intent = ca_intent(api.get("mutatingwebhookconfiguration", hook["metadata"]["name"]), bundle)
    assert intent is not None
    api.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=sluice", "-f", "-", given=intent)


def install(api: Api, hook: Hook, served: Served) -> None:
    """The configuration as the chart and the leader leave it."""
    hook["webhooks"][0]["clientConfig"]["url"] = f"https://localhost:{served.port}/inject"
    api.apply(hook)
    trust(api, hook, ca_bundle(served.certificates))


async def created(api: Api, namespace: str, name: str = "app", **spec: Any) -> Mapping[str, Any]:
    """A pod that asks for a gateway, as the cluster has it. The API server learns of a new hook within a second."""
    wanted = pod(name, labels=ASKS)
    wanted["spec"] = {**wanted["spec"], **spec}  # type: ignore[dict-item]
    await kubectl(api, "create", "-n", namespace, "-f", "-", given=wanted)
    found: Mapping[str, Any] = await asyncio.to_thread(api.get, "pod", name, "-n", namespace)
    return found


async def heeded(api: Api, namespace: str, asked: list[str]) -> None:
    """Returns when the API server calls the webhook."""
    async with asyncio.timeout(60):
        while not asked:
            await kubectl(
                api, "create", "-n", namespace, "--dry-run=server", "-f", "-", given=pod("trial", labels=ASKS)
            )


def noted(asked: list[str], real: Inject = annotated) -> Inject:
    """An injection that says for which pods it was asked."""

    def injection(pod: Mapping[str, Any], namespace: str) -> Injection:
        asked.append(pod["metadata"]["name"])
        return real(pod, namespace)

    return injection


async def test_a_pod_comes_out_with_the_patch_and_other_pods_as_they_were(api: Api, namespace: str, hook: Hook) -> None:
    asked: list[str] = []
    async with serving(noted(asked)) as served:
        install(api, hook, served)
        await heeded(api, namespace, asked)
        assert (await created(api, namespace))["metadata"]["annotations"] == {"sluice.dev/injected": "1.2.3"}
        await kubectl(api, "create", "-n", namespace, "-f", "-", given=pod("plain"))
        assert "annotations" not in api.get("pod", "plain", "-n", namespace)["metadata"]
        assert "plain" not in asked


async def test_a_real_sidecar_is_accepted_and_a_refusal_reaches_the_user(api: Api, namespace: str, hook: Hook) -> None:
    def real(pod: Mapping[str, Any], namespace: str) -> Injection:
        return Injection(inject.inject(pod, namespace, Installation(), "1.2.3"), ("no ModelRoute is here yet",))

    asked: list[str] = []
    async with serving(noted(asked, real)) as served:
        install(api, hook, served)
        await heeded(api, namespace, asked)
        whole = await created(api, namespace)
        assert [c["name"] for c in whole["spec"]["initContainers"]] == ["sluice-gateway"]
        assert whole["spec"]["initContainers"][0]["restartPolicy"] == "Always"
        assert whole["metadata"]["labels"]["sluice.dev/gateway"] == "sidecar"
        on_host = {**pod("host", labels=ASKS), "spec": {"containers": [], "hostNetwork": True}}
        told = await kubectl(api, "create", "-n", namespace, "-f", "-", given=on_host, fails=True)
        assert 'admission webhook "inject.sluice.dev" denied the request' in told
        assert "take hostNetwork out" in told


async def test_new_authorities_reach_the_api_server_without_a_pod_refused(api: Api, namespace: str, hook: Hook) -> None:
    asked: list[str] = []
    old, new = made(), made()
    async with serving(noted(asked), certificates=old) as served:
        install(api, hook, served)
        await heeded(api, namespace, asked)
        trust(api, hook, ca_bundle(old) + ca_bundle(new))
        served.server.use(new.leaf)
        for number in range(2):
            await created(api, namespace, f"overlap-{number}")
        trust(api, hook, ca_bundle(new))
        for number in range(2):
            await created(api, namespace, f"after-{number}")
        assert ca_intent(api.get("mutatingwebhookconfiguration", hook["metadata"]["name"]), ca_bundle(new)) is None


async def test_the_bundle_alone_is_written_and_never_makes_a_configuration(
    api: Api, namespace: str, hook: Hook
) -> None:
    async with serving() as served:
        install(api, hook, served)
    name = hook["metadata"]["name"]
    before = api.get("mutatingwebhookconfiguration", name)
    intent = ca_intent(before, "other")
    api.apply(hook)
    assert api.get("mutatingwebhookconfiguration", name)["webhooks"] == before["webhooks"], "an upgrade leaves it"
    api.kubectl("delete", "mutatingwebhookconfiguration", name)
    told = api.kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=sluice", "-f", "-", given=intent, fails=True
    )
    assert "uid mismatch" in told
