"""Secrets as the operator treats them: what is missing or not granted is said, heals, and no value gets anywhere."""

import base64
import json
from typing import Any

import pytest

from doubles.kube import Api
from doubles.objects import custom, provider, route
from doubles.operating import Operator
from doubles.running import until
from sluice_operator import names
from sluice_operator.conditions import condition

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "sk-canary-7Qx2mW9rT4"
HOST = "up.example.com"


def put(api: Api, namespace: str, name: str, *backends: dict[str, Any]) -> None:
    made = route(name, *backends, models=[name])
    made["metadata"]["namespace"] = namespace
    api.apply(made)


def own(secret: str = "openai") -> dict[str, Any]:
    """A backend at an address that is no provider's, with a credential."""
    backend = custom("own", f"https://{HOST}/v1")
    backend["custom"] |= {"apiKey": {"secret": secret, "key": "token"}, "model": "m"}
    return backend


def secret(api: Api, namespace: str, *, labelled: bool = True, value: str = CANARY) -> None:
    metadata = {"name": "openai", "namespace": namespace, "labels": {names.CREDENTIAL: "true"} if labelled else {}}
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": value}})


def version(api: Api, namespace: str, name: str) -> str:
    """Which version of its credential gateways are told to serve a route with; "" while they are told of none."""
    found = section(api, namespace, name)
    backend = found["backends"]["gpt"] if isinstance(found, dict) else {}
    return str((backend.get("credential") or {}).get("version") or "")


def held(api: Api, namespace: str) -> tuple[str, str]:
    """The version and the value that the shared gateway reads."""
    data = api.get("secret", names.CREDENTIALS_SECRET, "-n", namespace)["data"]
    index = json.loads(base64.b64decode(data[names.CREDENTIALS_INDEX]))
    return index["openai_token"]["version"], base64.b64decode(data["openai_token"]).decode()


def stalled(api: Api, namespace: str, name: str) -> str:
    """The reason why a route is stalled, "" where it is not; "unseen" before its status says anything."""
    status = api.get("modelroute", name, "-n", namespace).get("status")
    found = condition(status, "Stalled")
    return "unseen" if not condition(status, "Ready") else str(found["reason"]) if found else ""


def section(api: Api, namespace: str, name: str) -> object:
    """What gateways are told of a route; None: nothing."""
    text = api.kubectl(
        *("get", "configmap", names.CONFIG_MAP, "-n", namespace, "--ignore-not-found"),
        *("-o", f"jsonpath={{.data.{names.CONFIG_KEY.replace('.', chr(92) + '.')}}}"),
    )
    return json.loads(text)["routes"].get(name) if text else None


async def says(api: Api, namespace: str, name: str, reason: str) -> None:
    await until(lambda: stalled(api, namespace, name) == reason, f"{name} is stalled for {reason!r}")


@pytest.mark.usefixtures("operator")
async def test_a_missing_secret_is_said_and_heals_when_it_comes(api: Api, namespace: str) -> None:
    put(api, namespace, "paid", provider("gpt"))
    await says(api, namespace, "paid", "SecretNotFound")
    assert section(api, namespace, "paid") is None
    secret(api, namespace)
    await says(api, namespace, "paid", "")
    await until(lambda: section(api, namespace, "paid"), "its section")


@pytest.mark.usefixtures("operator")
async def test_a_rotated_secret_reaches_gateways_and_a_deleted_one_stays_with_them(api: Api, namespace: str) -> None:
    secret(api, namespace)
    put(api, namespace, "paid", provider("gpt"))
    await until(lambda: version(api, namespace, "paid"), "the section")
    old = version(api, namespace, "paid")
    assert held(api, namespace) == (old, CANARY)
    secret(api, namespace, value="sk-rotated")
    await until(lambda: version(api, namespace, "paid") != old, "another version")
    new = version(api, namespace, "paid")
    assert held(api, namespace) == (new, "sk-rotated")
    api.kubectl("delete", "secret", "openai", "-n", namespace)
    await says(api, namespace, "paid", "SecretNotFound")
    assert version(api, namespace, "paid") == new
    assert held(api, namespace) == (new, "sk-rotated")


@pytest.mark.usefixtures("operator")
async def test_a_secret_without_the_label_is_not_used_until_it_has_it(api: Api, namespace: str) -> None:
    secret(api, namespace, labelled=False)
    put(api, namespace, "paid", provider("gpt"))
    await says(api, namespace, "paid", "CredentialNotGranted")
    assert names.CREDENTIAL in str(api.get("modelroute", "paid", "-n", namespace)["status"]["conditions"])
    api.kubectl("label", "secret", "openai", "-n", namespace, f"{names.CREDENTIAL}=true")
    await says(api, namespace, "paid", "")


@pytest.mark.usefixtures("operator")
async def test_a_secret_goes_only_to_the_hosts_of_its_annotation(api: Api, namespace: str) -> None:
    secret(api, namespace)
    put(api, namespace, "own", own())
    await says(api, namespace, "own", "CredentialNotGranted")
    api.kubectl("annotate", "secret", "openai", "-n", namespace, f"{names.HOSTS}=elsewhere.example.com")
    await says(api, namespace, "own", "CredentialNotGranted")
    api.kubectl("annotate", "secret", "openai", "-n", namespace, f"{names.HOSTS}={HOST}:443", "--overwrite")
    await says(api, namespace, "own", "")
    assert section(api, namespace, "own") is not None


async def test_a_value_stands_in_the_users_secret_and_the_gateways_alone(
    api: Api, namespace: str, operator: Operator
) -> None:
    secret(api, namespace)
    put(api, namespace, "paid", provider("gpt"))
    put(api, namespace, "own", own())  # refused: it has an Event and a message about this Secret
    await says(api, namespace, "paid", "")
    await says(api, namespace, "own", "CredentialNotGranted")
    await until(lambda: section(api, namespace, "paid"), "the section")
    coded = base64.b64encode(CANARY.encode()).decode()

    def holders() -> set[str]:
        found = api.get("secrets", "-n", namespace)["items"]
        return {o["metadata"]["name"] for o in found if coded in json.dumps(o) or CANARY in json.dumps(o)}

    assert holders() == {"openai", names.CREDENTIALS_SECRET}
    others = "configmaps,modelroutes,deployments,replicasets,statefulsets,services,serviceaccounts,roles,rolebindings"
    await until(lambda: api.get("events.events.k8s.io", "-n", namespace)["items"], "an Event")
    text = json.dumps(api.get(f"{others},events,networkpolicies", "-n", namespace))
    assert names.CONFIG_KEY in text
    assert "CredentialNotGranted" in text
    assert "openai" in text  # its name may be told
    assert CANARY not in text
    assert coded not in text
    assert "leads" in operator.log
    assert CANARY not in operator.log
    assert coded not in operator.log
    # It leaves the gateways' Secret with the route that needs it.
    api.kubectl("delete", "modelroute", "paid", "-n", namespace)
    await until(lambda: holders() == {"openai"}, "the copy is gone")


@pytest.mark.usefixtures("operator")
async def test_a_broken_route_never_changes_another_ones_section(api: Api, namespace: str) -> None:
    put(api, namespace, "good", custom("house"))
    put(api, namespace, "turns", custom("house"))
    await until(lambda: section(api, namespace, "turns"), "both sections")
    good, turns = section(api, namespace, "good"), section(api, namespace, "turns")
    assert good is not None
    put(api, namespace, "broken", provider("gpt"))
    put(api, namespace, "turns", provider("gpt"))
    await says(api, namespace, "broken", "SecretNotFound")
    await says(api, namespace, "turns", "SecretNotFound")
    assert section(api, namespace, "good") == good
    assert section(api, namespace, "broken") is None
    assert section(api, namespace, "turns") == turns  # what worked last is served on
    api.kubectl("delete", "modelroute", "broken", "turns", "-n", namespace)
    await until(lambda: section(api, namespace, "turns") is None, "the section of the deleted")
    assert section(api, namespace, "good") == good
