"""Whoever may edit the ConfigMap of a Config, and read no Secret, gets nothing served by it."""

import json

import pytest

from doubles.kube import Api
from doubles.objects import custom, route
from doubles.running import until
from sluice_operator import names
from sluice_sidecar.config import Config

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = "https://evil.example.com/v1"


def put(api: Api, namespace: str, name: str, **spec: object) -> None:
    made = route(name, custom("house"), models=[name], **spec)
    made["metadata"]["namespace"] = namespace
    api.apply(made)


def config(api: Api, namespace: str) -> Config | None:
    found = api.get("configmaps", "-n", namespace, "--field-selector", f"metadata.name={names.CONFIG_MAP}")["items"]
    return Config.model_validate_json(found[0]["data"][names.CONFIG_KEY]) if found else None


def routes(api: Api, namespace: str) -> set[str]:
    found = config(api, namespace)
    return set(found.routes) if found else set()


@pytest.mark.usefixtures("operator")
async def test_a_forged_section_is_not_kept_for_a_broken_route(api: Api, namespace: str) -> None:
    put(api, namespace, "mine")
    put(api, namespace, "theirs")
    await until(lambda: routes(api, namespace) == {"mine", "theirs"}, "both sections")
    put(api, namespace, "theirs", cachePolicy={"name": "gone"})
    stalled = ("get", "modelroute", "theirs", "-n", namespace, "-o", "jsonpath={.status.conditions[*].type}")
    await until(lambda: "Stalled" in api.kubectl(*stalled), "the broken route says so")
    assert routes(api, namespace) == {"mine", "theirs"}  # what worked last

    honest = config(api, namespace)
    assert honest is not None
    section = honest.routes["theirs"]
    backends = {name: backend.model_copy(update={"url": EVIL}) for name, backend in section.backends.items()}
    forged = {**honest.routes, "theirs": section.model_copy(update={"backends": backends})}
    text = honest.model_copy(update={"routes": forged}).sealed().to_json().decode()
    patch = json.dumps({"data": {names.CONFIG_KEY: text}})
    api.kubectl("patch", "configmap", names.CONFIG_MAP, "-n", namespace, "--type=merge", "-p", patch)
    await until(lambda: routes(api, namespace) == {"mine"}, "nothing of it is kept")
    assert EVIL not in json.dumps(api.get("configmaps", "-n", namespace))
    events = ("get", "events.events.k8s.io", "-n", namespace, "-o", "jsonpath={.items[*].reason}")
    await until(lambda: "ConfigNotOurs" in api.kubectl(*events), "an Event")

    put(api, namespace, "theirs")  # mended, it is served as it is written
    await until(lambda: config(api, namespace) == honest, "the honest one")
