"""Every form in which an application runs gets its gateway, ends as it would without one, and ends what it began."""

import subprocess
from typing import Any

import pytest

from e2e import workloads
from e2e.conftest import line
from e2e.kube import Kube

pytestmark = pytest.mark.timeout(1800)

EVENTS = 120
"""Of the answer that a pod is deleted in: 12 s."""


def finished(api: Kube, namespace: str, name: str) -> dict[str, object]:
    """What the Job's pod printed, once the Job is complete: a gateway that went on would hold it open."""
    api.kubectl("wait", "-n", namespace, f"job/{name}", "--for=condition=Complete", "--timeout=300s", timeout=320)
    return line(api.kubectl("logs", "-n", namespace, f"job/{name}", "-c", "app"))


def test_a_job_is_served_and_completes(installed: Kube, routed: str) -> None:
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report", "namespace": routed}}
    installed.apply({**made, "spec": workloads.job(workloads.pod("What is new?"))})
    assert finished(installed, routed, "report")["text"] == "v0"


def test_a_cron_job_is_served_and_completes(installed: Kube, routed: str) -> None:
    made = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": routed}}
    template = {"spec": workloads.job(workloads.pod("What was new?"))}
    installed.apply({**made, "spec": {"schedule": "0 0 1 1 *", "jobTemplate": template}})
    installed.kubectl("create", "job", "-n", routed, "once", "--from=cronjob/nightly")
    assert finished(installed, routed, "once")["text"] == "v0"


def test_a_bare_pod_is_served_and_ends(installed: Kube, routed: str) -> None:
    installed.apply(workloads.bare(routed, "once-only", workloads.pod("Who is there?")))
    installed.kubectl(
        "wait", "-n", routed, "pod/once-only", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=300s", timeout=320
    )
    assert line(installed.kubectl("logs", "-n", routed, "once-only", "-c", "app"))["text"] == "v0"


def test_a_pod_with_a_url_of_its_own_keeps_it(installed: Kube, routed: str) -> None:
    own = {"OPENAI_BASE_URL": f"http://upstream.{routed}.svc.cluster.local:8000/elsewhere/v1"}
    installed.apply(workloads.bare(routed, "elsewhere", workloads.pod("Who is there?", env=own)))
    installed.kubectl(
        "wait", "-n", routed, "pod/elsewhere", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=300s", timeout=320
    )
    told = line(installed.kubectl("logs", "-n", routed, "elsewhere", "-c", "app"))
    assert (told["text"], told["cache"]) == ("elsewhere", None)


def streaming(api: Kube, namespace: str, name: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    """Starts a pod that reads a long answer, and follows what it prints; returns once the answer has begun."""
    api.apply(workloads.bare(namespace, name, workloads.pod("stream", f"{EVENTS} events", env=env, grace=60)))
    api.kubectl("wait", "-n", namespace, f"pod/{name}", "--for=condition=Ready", "--timeout=300s", timeout=320)
    command = [str(api.binaries / "kubebox"), "kubectl", "logs", "-f", "-n", namespace, name, "-c", "app"]
    process = subprocess.Popen(command, env=api.environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == '"begun"\n'
    return process


def rest(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What it printed at its end."""
    with process:
        assert process.stdout
        return line(process.stdout.read())


def test_a_deleted_pod_ends_the_answer_that_it_began(installed: Kube, routed: str) -> None:
    process = streaming(installed, routed, "leaving", {})
    installed.kubectl("delete", "pod", "-n", routed, "leaving", "--timeout=300s", timeout=320)
    assert rest(process) == {"events": EVENTS, "finish": "stop"}


def test_a_deleted_gateway_ends_the_answers_that_it_began(installed: Kube, routed: str) -> None:
    shared = {"OPENAI_BASE_URL": f"http://sluice-gateway.{routed}.svc.cluster.local/v1"}
    process = streaming(installed, routed, "staying", shared)
    both = ("-n", routed, "-l", "sluice.dev/gateway=shared")
    installed.kubectl("delete", "pods", *both, "--timeout=300s", timeout=320)
    assert rest(process) == {"events": EVENTS, "finish": "stop"}
    workloads.served(installed, routed)
