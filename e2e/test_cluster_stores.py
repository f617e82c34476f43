"""A managed Redis: gateways share their answers in it, serve on without it, and find them again."""

import json
from typing import Any

import pytest

from e2e import workloads
from e2e.installation import make_namespace
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)

NAMESPACE = "sluice-e2e-stores"
POD = "sluice-redis-0"


@pytest.fixture(scope="module")
def stored(installed: Kube) -> Kube:
    """A namespace with two shared gateways, and a route whose answers are kept in a managed Redis."""
    make_namespace(installed, NAMESPACE)
    installed.apply(*workloads.upstream(NAMESPACE))
    address = installed.get("service", "upstream", "-n", NAMESPACE)["spec"]["clusterIP"]
    policy = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "CachePolicy",
        "metadata": {"name": "shared", "namespace": NAMESPACE},
        "spec": {"store": {"redis": {"managed": {}}}},
    }
    route = workloads.route(NAMESPACE, "kept")
    route["spec"]["cachePolicy"] = {"name": "shared"}
    installed.apply(policy, route, workloads.gateways(NAMESPACE, replicas=2, allow=f"{address}/32"))
    installed.apply(workloads.deployment(NAMESPACE, "app", workloads.pod("wait", grace=1)))
    for name in ("upstream", "app"):
        installed.kubectl("rollout", "status", "-n", NAMESPACE, f"deployment/{name}", "--timeout=300s", timeout=320)
    workloads.until("two gateways", lambda: len(addresses(installed)) == 2)
    workloads.served(installed, NAMESPACE)
    workloads.until("a store", lambda: ready(installed)["status"] == "True")
    return installed


def addresses(api: Kube) -> list[str]:
    """Where the ready shared gateways answer."""
    pods = api.get("pods", "-n", NAMESPACE, "-l", "sluice.dev/gateway=shared")["items"]
    states = [(pod["status"].get("podIP"), pod["status"].get("containerStatuses", ())) for pod in pods]
    return [f"http://{address}:8080/v1" for address, told in states if told and all(one["ready"] for one in told)]


def ready(api: Kube) -> dict[str, Any]:
    """The policy's condition Ready."""
    found = api.get("cachepolicy", "shared", "-n", NAMESPACE).get("status", {}).get("conditions", [])
    return next((one for one in found if one["type"] == "Ready"), {"status": "Unknown", "reason": ""})


def ask(api: Kube, address: str, question: str) -> dict[str, Any]:
    """Asks one gateway, with OpenAI's SDK."""
    inside = ("exec", "-n", NAMESPACE, "deployment/app", "-c", "app", "--", "env", f"OPENAI_BASE_URL={address}")
    answer: dict[str, Any] = json.loads(api.kubectl(*inside, "python", "/app.py", question))
    return answer


def test_an_answer_that_one_gateway_has_is_a_hit_at_the_other(stored: Kube) -> None:
    one, other = addresses(stored)
    assert ask(stored, one, "Who keeps it?")["cache"] == "miss"
    assert ask(stored, other, "Who keeps it?")["cache"] == "identical"


def test_gateways_serve_on_without_their_store_and_find_it_again(stored: Kube) -> None:
    one, other = addresses(stored)

    def away() -> bool:
        stored.kubectl("delete", "pod", "-n", NAMESPACE, POD, "--grace-period=0", "--force", "--ignore-not-found")
        return bool(ready(stored)["reason"] == "StoreUnavailable")

    assert ask(stored, one, "Who kept it?")["cache"] == "miss"
    workloads.until("a status that tells that the store is away", away)
    assert [ask(stored, address, "Who is there?")["text"] for address in (one, other)] == ["kept", "kept"]
    workloads.until("a status that tells that the store is back", lambda: ready(stored)["status"] == "True")
    workloads.until("a hit", lambda: ask(stored, other, "Who kept it?")["cache"] == "identical")
