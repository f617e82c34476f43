"""Who may read what the operator makes: applications no secret of Sluice's, gateways their ConfigMaps by name alone."""

import json

import pytest

from doubles.kube import Api
from doubles.objects import route
from doubles.running import until
from sluice_operator import names

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("operator")]

SECRETS = (names.CREDENTIALS_SECRET, names.STORE_SECRET, names.STORE_ADMIN_SECRET)


def may(api: Api, namespace: str, account: str, verb: str, what: str) -> bool:
    """What the API server says of an account of the namespace."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
            "resourceAttributes": {"namespace": namespace, "verb": verb}
            | dict(zip(("resource", "name"), what.split("/"), strict=False)),
        },
    }
    made = api.kubectl("create", "-f", "-", "-o", "json", given=review)
    return bool(json.loads(made)["status"]["allowed"])


async def opened(api: Api, namespace: str) -> None:
    """A route, a pod with an injected gateway whose account is `sidecar`, and an account `app` of neither."""
    made = route("house")
    made["metadata"]["namespace"] = namespace
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    about = {"name": "with", "namespace": namespace, "labels": {names.GATEWAY: "sidecar"}}
    spec = {"serviceAccountName": "sidecar", "containers": [{"name": "app", "image": "none.test/none"}]}
    api.apply(
        {**account, "metadata": {"name": "app", "namespace": namespace}},
        {**account, "metadata": {"name": "sidecar", "namespace": namespace}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec},
        made,
    )
    await until(lambda: may(api, namespace, "sidecar", "get", f"configmaps/{names.CONFIG_MAP}"), "the sidecar's right")


async def test_an_application_reads_nothing_of_sluices(api: Api, namespace: str) -> None:
    await opened(api, namespace)
    assert not [name for name in SECRETS if may(api, namespace, "app", "get", f"secrets/{name}")]
    assert not may(api, namespace, "app", "list", "secrets")
    assert not may(api, namespace, "app", "get", f"configmaps/{names.CONFIG_MAP}")


async def test_a_sidecars_account_reads_the_config_maps_by_name_alone(api: Api, namespace: str) -> None:
    await opened(api, namespace)
    for name in (names.CONFIG_MAP, names.ENDPOINTS_MAP):
        assert may(api, namespace, "sidecar", "watch", f"configmaps/{name}")
        assert not may(api, namespace, "sidecar", "patch", f"configmaps/{name}")
    assert not may(api, namespace, "sidecar", "get", "configmaps/kube-root-ca.crt")
    assert not may(api, namespace, "sidecar", "list", "configmaps")
    assert not [name for name in SECRETS if may(api, namespace, "sidecar", "get", f"secrets/{name}")]


async def test_the_shared_gateway_alone_reads_the_credentials(api: Api, namespace: str) -> None:
    await opened(api, namespace)
    allowed = [name for name in SECRETS if may(api, namespace, names.GATEWAY_NAME, "get", f"secrets/{name}")]
    assert allowed == [names.CREDENTIALS_SECRET]
    assert not may(api, namespace, names.GATEWAY_NAME, "list", "secrets")


async def test_a_reader_that_someone_added_is_removed(api: Api, namespace: str) -> None:
    await opened(api, namespace)
    binding = ("rolebinding", names.CREDENTIALS_SECRET, "-n", namespace)
    await until(lambda: api.kubectl("get", *binding, "--ignore-not-found"), "the binding is made")
    extra = {"kind": "ServiceAccount", "name": "app", "namespace": namespace}
    patch = [{"op": "add", "path": "/subjects/-", "value": extra}]
    api.kubectl("patch", *binding, "--type=json", "-p", json.dumps(patch))
    await until(lambda: extra not in api.get(*binding)["subjects"], "the subject is gone")
    assert not may(api, namespace, "app", "get", f"secrets/{names.CREDENTIALS_SECRET}")
