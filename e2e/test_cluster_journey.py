"""The main job in a cluster: an application that knows nothing of Sluice is served by an injected gateway."""

import json
from typing import Any

import pytest

from doubles.kube import Api
from e2e.conftest import ROOT
from e2e.images.build import tag

NAMESPACE = "support"


@pytest.fixture(scope="module")
def served(installed: Api) -> Api:
    """The quickstart's kinds, applied in a namespace of their own, and served."""
    installed.kubectl("create", "namespace", NAMESPACE)
    installed.kubectl("apply", "-n", NAMESPACE, "-f", str(ROOT / "examples" / "quickstart.yaml"))
    installed.kubectl("wait", "-n", NAMESPACE, "modelroute/auto", "--for=condition=Ready", "--timeout=50s")
    installed.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app", "namespace": NAMESPACE},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "app"}},
                "template": {
                    "metadata": {"labels": {"app": "app", "sluice.dev/inject": "true"}},
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "containers": [{"name": "app", "image": tag("app"), "args": ["wait"]}],
                    },
                },
            },
        }
    )
    installed.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/app", "--timeout=50s")
    return installed


def ask(api: Api, question: str, model: str = "auto") -> dict[str, Any]:
    """Asks from inside the application's container, with OpenAI's SDK."""
    inside = ("exec", "-n", NAMESPACE, "deployment/app", "-c", "app", "--")
    answer: dict[str, Any] = json.loads(api.kubectl(*inside, "python", "/app.py", question, model))
    return answer


@pytest.mark.timeout(900)
def test_the_second_ask_is_a_hit(served: Api) -> None:
    first, second = (ask(served, "Which country is Paris the capital of?") for _ in range(2))
    assert first["text"]
    assert first["cache"] == "miss"
    assert second["cache"] == "identical"
    assert second["text"] == first["text"]


def test_a_changed_route_is_served_without_a_new_pod(served: Api) -> None:
    before = served.get("pods", "-n", NAMESPACE, "-l", "app=app")["items"][0]["metadata"]["uid"]
    change = json.dumps({"spec": {"models": ["auto", "renamed"]}})
    served.kubectl("patch", "-n", NAMESPACE, "modelroute", "auto", "--type=merge", "-p", change)
    served.kubectl(
        "wait", "-n", NAMESPACE, "modelroute/auto", "--for=jsonpath={.status.models[1]}=renamed", "--timeout=30s"
    )
    served.kubectl("wait", "-n", NAMESPACE, "modelroute/auto", "--for=condition=Ready", "--timeout=50s")
    assert ask(served, "Which country is Rome the capital of?", "renamed")["text"]
    assert served.get("pods", "-n", NAMESPACE, "-l", "app=app")["items"][0]["metadata"]["uid"] == before
