"""The main job in a cluster: an application that knows nothing of Sluice is served by an injected gateway."""

import json
from typing import Any

import pytest

from e2e import workloads
from e2e.installation import ROOT, make_namespace
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)

NAMESPACE = "sluice-e2e-journey"


@pytest.fixture(scope="module")
def journey(installed: Kube) -> Kube:
    """The quickstart's kinds, applied in a namespace of their own, and served; the application beside them."""
    make_namespace(installed, NAMESPACE)
    installed.kubectl("apply", "-n", NAMESPACE, "-f", str(ROOT / "examples" / "quickstart.yaml"))
    workloads.served(installed, NAMESPACE)
    installed.apply(workloads.deployment(NAMESPACE, "app", workloads.pod("wait", grace=1)))
    installed.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/app", "--timeout=300s", timeout=320)
    return installed


def ask(api: Kube, question: str, model: str = "auto") -> dict[str, Any]:
    """Asks from inside the application's container, with OpenAI's SDK."""
    inside = ("exec", "-n", NAMESPACE, "deployment/app", "-c", "app", "--")
    answer: dict[str, Any] = json.loads(api.kubectl(*inside, "python", "/app.py", question, model))
    return answer


def test_the_second_ask_is_a_hit(journey: Kube) -> None:
    first, second = (ask(journey, "Which country is Paris the capital of?") for _ in range(2))
    assert first["text"]
    assert first["cache"] == "miss"
    assert second["cache"] == "identical"
    assert second["text"] == first["text"]


def test_a_changed_route_is_served_without_a_new_pod(journey: Kube) -> None:
    before = journey.get("pods", "-n", NAMESPACE, "-l", "app=app")["items"][0]["metadata"]["uid"]
    change = json.dumps({"spec": {"models": ["auto", "renamed"]}})
    journey.kubectl("patch", "-n", NAMESPACE, "modelroute", "auto", "--type=merge", "-p", change)
    assert workloads.served(journey, NAMESPACE)["status"]["models"] == ["auto", "renamed"]
    assert ask(journey, "Which country is Rome the capital of?", "renamed")["text"]
    assert journey.get("pods", "-n", NAMESPACE, "-l", "app=app")["items"][0]["metadata"]["uid"] == before
