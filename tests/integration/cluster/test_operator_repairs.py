"""The operator, with the chart's rights alone, makes what a route needs, repairs it, and takes just that away again."""

import json
from typing import Any

import pytest

from doubles.kube import Api
from doubles.made import KINDS, MADE, Found, listed, put, versions
from doubles.running import until
from sluice_operator import names

pytestmark = pytest.mark.asyncio(loop_scope="session")

EDITS: dict[str, dict[str, Any]] = {
    f"deployment/{names.GATEWAY_NAME}": {"spec": {"replicas": 0}},
    f"service/{names.GATEWAY_NAME}": {"spec": {"selector": {names.GATEWAY: "stolen"}}},
    f"configmap/{names.CONFIG_MAP}": {"data": {names.CONFIG_KEY: "{}", names.SHARDS_KEY: "{}"}},
    f"configmap/{names.ENDPOINTS_MAP}": {"data": {names.ENDPOINTS_KEY: "{}", names.SIGNATURE_KEY: ""}},
    f"secret/{names.CREDENTIALS_SECRET}": {"data": {names.CREDENTIALS_INDEX: "e30K"}},
    f"networkpolicy/{names.GATEWAY_NAME}": {"spec": {"ingress": []}},
    f"role/{names.CREDENTIALS_SECRET}": {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]},
}


def identities(found: Found) -> dict[tuple[str, str], str]:
    return {key: data["metadata"]["uid"] for key, data in found.items()}


def content(found: Found) -> Found:
    """What is wanted of each, without what the API server and controllers keep."""
    return {key: {k: v for k, v in o.items() if k not in {"metadata", "status"}} for key, o in found.items()}


async def settled(api: Api, namespace: str) -> Found:
    await until(lambda: listed(api, namespace).keys() >= MADE, f"all of {MADE}")
    return listed(api, namespace)


@pytest.mark.usefixtures("operator")
async def test_what_is_deleted_by_hand_comes_back(api: Api, namespace: str) -> None:
    put(api, namespace, "house")
    before = await settled(api, namespace)
    api.kubectl("delete", KINDS, "-n", namespace, "-l", f"{names.MANAGED_BY}={names.MANAGED}")
    after = await settled(api, namespace)
    assert after.keys() == before.keys()
    old, new = identities(before), identities(after)
    assert {key for key in new if new[key] != old[key]} >= MADE
    # The salt is random, and signs; a new Service has another address.
    signed = {
        ("ConfigMap", names.CONFIG_MAP): names.CONFIG_KEY,
        ("ConfigMap", names.ENDPOINTS_MAP): names.ENDPOINTS_KEY,
    }
    anew = {("Secret", names.CREDENTIALS_SECRET), ("Service", names.GATEWAY_NAME), *signed}
    after_content, before_content = content(after), content(before)
    for found, text in signed.items():
        assert after_content[found]["data"][text] == before_content[found]["data"][text]
    for key in MADE - anew:
        assert after_content[key] == before_content[key]


@pytest.mark.usefixtures("operator")
async def test_what_is_edited_by_hand_is_put_right(api: Api, namespace: str) -> None:
    put(api, namespace, "house")
    before = content(await settled(api, namespace))
    for what, edit in EDITS.items():
        api.kubectl("patch", what, "-n", namespace, "--type=merge", "-p", json.dumps(edit))
        await until(lambda: content(listed(api, namespace)) == before, f"{what} as it was")


@pytest.mark.usefixtures("operator")
async def test_the_last_route_takes_what_was_made_for_it_and_nothing_else(api: Api, namespace: str) -> None:
    foreign = {"name": "sluice-mine", "namespace": namespace}
    helms = {"name": "helms", "namespace": namespace, "labels": {names.MANAGED_BY: "Helm", names.COMPONENT: "config"}}
    user = {"name": "user", "namespace": namespace, "labels": {names.CREDENTIAL: "true"}}
    api.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": foreign, "data": {"k": "v"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": helms, "data": {"k": "v"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": user, "stringData": {"k": "v"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": foreign},
    )
    api.kubectl("wait", "--for=create", "configmap/kube-root-ca.crt", "-n", namespace, "--timeout=120s")
    before = listed(api, namespace)
    put(api, namespace, "first")
    put(api, namespace, "second")
    await settled(api, namespace)
    api.kubectl("delete", "modelroute", "first", "-n", namespace)

    def routes() -> set[str]:
        text = listed(api, namespace, "configmaps")["ConfigMap", names.CONFIG_MAP]["data"][names.CONFIG_KEY]
        return set(json.loads(text)["routes"])

    await until(lambda: routes() == {"second"}, "the section of the first is gone")
    assert listed(api, namespace).keys() >= MADE
    api.kubectl("delete", "modelroute", "second", "-n", namespace)
    await until(lambda: listed(api, namespace).keys() == before.keys(), "all that was made is gone")
    assert versions(listed(api, namespace)) == versions(before)
