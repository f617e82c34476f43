"""A gateway that cannot serve a route says so to the operator, and the route's status says which one and why."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import older_gateway
from doubles.behaviours import text
from doubles.kube import Api
from doubles.made import MADE, listed, put
from doubles.objects import custom
from doubles.pods import ACCOUNT, mounts, pod
from doubles.running import ASK, PATIENCE, until
from doubles.scripted import Scripted
from sluice_operator import names
from sluice_operator.conditions import condition

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("operator")]

RUNNING = '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'


def ready(api: Api, namespace: str, name: str) -> dict[str, Any]:
    """A route's condition Ready, {} before it has one."""
    found = condition(api.get("modelroute", name, "-n", namespace).get("status"), "Ready")
    return dict(found or {})


def of_the_gateway(api: Api, namespace: str) -> list[str]:
    """Names of the pods that the Deployment's controller made."""
    found = api.get("pods", "-n", namespace, "-l", f"{names.GATEWAY}=shared")["items"]
    return [data["metadata"]["name"] for data in found]


async def test_a_status_says_which_gateway_refuses_a_route_and_others_go_on(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        up.otherwise(text("Hello"))
        put(api, namespace, "old", backends=[custom("house", up.url)], models=["auto"])
        weights = {"weighted": {"weights": [{"backend": "a", "weight": 9}, {"backend": "b", "weight": 1}]}}
        put(api, namespace, "new", backends=[custom("a"), custom("b")], strategy=weights, models=["new"])
        await until(lambda: listed(api, namespace).keys() >= MADE, f"all of {MADE}")
        await until(lambda: of_the_gateway(api, namespace), "a pod of the gateway's Deployment")
        name = of_the_gateway(api, namespace)[0]
        run = mounts(api, namespace, tmp_path)
        bound = ("--audience", "sluice", "--bound-object-kind", "Pod", "--bound-object-name", name)
        (run / "operator" / "token").write_text(api.kubectl("create", "token", ACCOUNT, "-n", namespace, *bound))
        program = (older_gateway.__file__,)
        async with pod(run, namespace, api.server, program=program) as gateway:
            api.kubectl("patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", RUNNING)
            await until(lambda: ready(api, namespace, "new").get("reason") == "Refused", f"a refusal\n{gateway.said}")
            found = ready(api, namespace, "new")
            assert found["status"] == "False"
            why = f"needs {older_gateway.LACKS}, which this gateway cannot do: upgrade it"
            assert found["message"] == f"refused by {name}: {why}"
            await until(lambda: ready(api, namespace, "old").get("status") == "True", "the other one is served")
            assert ready(api, namespace, "old")["reason"] == "Serving"
            answer = await client.post(gateway.url + "/v1/chat/completions", json=ASK)
            assert answer.status_code == 200
            lost = await client.post(gateway.url + "/v1/chat/completions", json=ASK | {"model": "new"})
            assert lost.status_code == 404

            def told() -> set[tuple[str, str, str]]:
                events = api.get("events.events.k8s.io", "-n", namespace)["items"]
                return {(event["type"], event["reason"], event["regarding"]["name"]) for event in events}

            await until(lambda: ("Warning", "Refused", "new") in told(), "an Event of it")
