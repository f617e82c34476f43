"""What is rendered, on a real API server: it is taken under restricted pod security and stored as it was meant."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from doubles.kube import Api
from doubles.objects import gateway as written_gateway
from doubles.objects import model as written_model
from doubles.patching import patched
from sluice_operator import names
from sluice_operator.admission.inject import inject
from sluice_operator.installation import Images, Installation
from sluice_operator.kinds import QuantisedModel, SluiceGateway
from sluice_operator.kinds.references import Claim
from sluice_operator.plan.diff import holds
from sluice_operator.plan.plan import Manifest
from sluice_operator.render.access import access
from sluice_operator.render.batch import batch
from sluice_operator.render.files import Files, files_claim
from sluice_operator.render.gateway import gateway
from sluice_operator.render.llama_cpp import llama_cpp
from sluice_operator.render.qdrant import qdrant
from sluice_operator.render.redis import redis

INSTALLATION = Installation(images=Images(pull_secrets=("registry",)))
FILES = Files(one_node=True)
FULL = {
    "resources": {"requests": {"cpu": "0.25"}, "limits": {"memory": "1536Mi"}},
    "egress": {"caBundle": {"configMap": {"name": "house", "key": "root.pem"}}},
    "expose": {"tls": {"secret": "cert"}},
}


@pytest.fixture
def restricted(api: Api, namespace: str) -> str:
    api.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    return namespace


def manifests(api: Api, namespace: str, spec: dict[str, Any]) -> list[Manifest]:
    api.apply({**written_model(hardware={"cpu": "0.5"})} | {"metadata": {"name": "smollm2", "namespace": namespace}})
    model = QuantisedModel.model_validate(api.get("quantisedmodel", "smollm2", "-n", namespace))
    wanted = SluiceGateway.model_validate(written_gateway(**spec)).spec
    return [
        *access(namespace, [names.CONFIG_MAP, names.ENDPOINTS_MAP], names.GATEWAY_NAME, ["default"]),
        *gateway(namespace, wanted, INSTALLATION, files=FILES),
        files_claim(namespace, Claim(storage="1.5Gi"), one_node=FILES.one_node),
        *batch(namespace, wanted, INSTALLATION, FILES),
        *redis(namespace, "1.5Gi", INSTALLATION, key="0123456789ab"),
        *qdrant(namespace, 3, "10Gi", INSTALLATION, key="0123456789ab", image=INSTALLATION.images.qdrant),
        *llama_cpp(model, INSTALLATION),
    ]


@pytest.mark.parametrize("spec", [{}, FULL], ids=["defaults", "full"])
def test_what_is_stored_is_what_was_meant(api: Api, restricted: str, spec: dict[str, Any]) -> None:
    intents = manifests(api, restricted, spec)
    items = {"apiVersion": "v1", "kind": "List", "items": intents}
    text = api.kubectl(
        *("apply", "--server-side", "--field-manager", "sluice", "--dry-run=server", "-o", "json", "-f", "-"),
        given=items,
    )
    stored = json.loads(text)["items"]
    assert len(stored) == len(intents)
    for intent, found in zip(intents, stored, strict=True):
        assert found["kind"] == intent["kind"]
        assert contains(found, intent) is None
        assert holds(intent, found)


def test_restricted_pod_security_takes_every_pod(api: Api, restricted: str) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": list(pods(manifests(api, restricted, FULL)))}
    told = api.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", "-n", restricted, given=items)
    assert told.count("serverside-applied") == 5


def test_restricted_pod_security_is_enforced_here(api: Api, restricted: str) -> None:
    unsafe = app(restricted)
    unsafe["spec"]["securityContext"] = {}
    told = api.kubectl("create", "--dry-run=server", "-f", "-", "-n", restricted, given=unsafe, fails=True)
    assert "violates PodSecurity" in told


def test_accounts_read_what_they_need_and_nothing_else(api: Api, namespace: str) -> None:
    api.apply(*access(namespace, [names.CONFIG_MAP, names.ENDPOINTS_MAP], names.GATEWAY_NAME, ["default"]))

    questions = [
        ("default", "watch", f"configmaps/{names.CONFIG_MAP}", True),
        (names.GATEWAY_NAME, "get", f"configmaps/{names.ENDPOINTS_MAP}", True),
        (names.GATEWAY_NAME, "watch", f"secrets/{names.CREDENTIALS_SECRET}", True),
        ("default", "get", f"secrets/{names.CREDENTIALS_SECRET}", False),
        ("default", "get", "configmaps/other", False),
        ("default", "list", "configmaps", False),
        ("default", "update", f"configmaps/{names.CONFIG_MAP}", False),
        (names.GATEWAY_NAME, "get", f"secrets/{names.STORE_ADMIN_SECRET}", False),
        (names.GATEWAY_NAME, "list", "secrets", False),
    ]
    for account, verb, what, allowed in questions:
        user = f"system:serviceaccount:{namespace}:{account}"
        told = api.kubectl("auth", "can-i", verb, what, "-n", namespace, "--as", user, fails=not allowed)
        assert told.split()[0] == ("yes" if allowed else "no"), (account, verb, what)


def test_restricted_pod_security_takes_an_injected_pod(api: Api, restricted: str) -> None:
    given = app(restricted)
    found = patched(given, inject(given, restricted, INSTALLATION, "1.2.3"))
    stored = json.loads(
        api.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", "-n", restricted, given=found)
    )
    assert contains(stored, found) is None
    assert inject(stored, restricted, INSTALLATION, "1.2.3") == []
    assert stored["spec"]["initContainers"][0]["restartPolicy"] == "Always"


def test_the_api_server_applies_the_patch_as_we_do(api: Api, restricted: str) -> None:
    """A patch of what cannot be patched later: the spec of a Deployment's pods stands in for a pod that is created."""
    given = app(restricted)
    template = {key: given[key] for key in ("metadata", "spec")}
    template["metadata"] = {"labels": given["metadata"]["labels"]}
    api.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app", "namespace": restricted},
            "spec": {"replicas": 0, "selector": {"matchLabels": template["metadata"]["labels"]}, "template": template},
        }
    )
    operations = inject(given, restricted, INSTALLATION, "1.2.3")
    moved = [{**each, "path": f"/spec/template{each['path']}"} for each in operations if "/labels" not in each["path"]]
    text = api.kubectl(
        *("patch", "deployment", "app", "-n", restricted, "--type=json", "-o", "json", "-p", json.dumps(moved))
    )
    ours = patched(template, [each for each in operations if "/labels" not in each["path"]])
    assert contains(json.loads(text)["spec"]["template"], ours) is None


def app(namespace: str) -> dict[str, Any]:
    """A pod that restricted pod security takes, with everything that a patch may meet."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    own = {"image": "app:1", "securityContext": security}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": namespace, "labels": {names.INJECT: "true"}},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [{"name": "migrate", **own}],
            "containers": [{"name": "app", "env": [{"name": "OPENAI_API_KEY", "value": "own"}], **own}],
        },
    }


def pods(intents: list[Manifest]) -> Iterator[Manifest]:
    """A pod of each workload's template. Claims of a StatefulSet become volumes of their own."""
    for intent in intents:
        if intent["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        template = intent["spec"]["template"]
        claims = [{"name": each["metadata"]["name"], "emptyDir": {}} for each in intent["spec"].get(
            "volumeClaimTemplates", ()
        )]  # fmt: skip
        spec = {**template["spec"], "volumes": [*template["spec"]["volumes"], *claims]}
        spec.pop("serviceAccountName", None)  # admission wants it to exist
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": intent["metadata"]["name"]},
            "spec": spec,
        }


def contains(stored: Any, intent: Any, path: str = "") -> str | None:
    """Where an intent is not in what is stored, to the letter; None: nowhere. More may be there, but not in lists."""
    if isinstance(intent, dict) and isinstance(stored, dict):
        return next(
            (found for key in intent if (found := contains(stored.get(key), intent[key], f"{path}.{key}"))), None
        )
    if isinstance(intent, list) and isinstance(stored, list) and path.endswith((".volumes", ".volumeMounts")):
        stored = [entry for entry in stored if not entry["name"].startswith("kube-api-access")]  # admission's own
    if isinstance(intent, list) and isinstance(stored, list) and len(intent) == len(stored):
        pairs = enumerate(zip(stored, intent, strict=True))
        return next(
            (found for index, (one, other) in pairs if (found := contains(one, other, f"{path}[{index}]"))), None
        )
    return None if stored == intent else f"{path}: {intent!r} is stored as {stored!r}"
