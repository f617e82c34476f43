"""The demonstration in a cluster: python -m e2e.cluster_demo up | down.

`up` starts a cluster of one node in a folder of its own, installs the chart, serves examples/quickstart.yaml and asks
from an application that knows OpenAI's SDK and nothing of Sluice; the cluster stays. `down` ends it.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from e2e import installation, workloads
from e2e.images.build import archive, build
from e2e.kube import Kube
from e2e.kubebox import cluster
from e2e.kubebox.build import binaries, cache
from e2e.kubebox.processes import ClusterError

NAMESPACE = "demo"
NEEDED = ("operator", "gateway", "llama", "app")
QUESTIONS = (
    "Which country is Paris the capital of?",
    "Which country is Paris the capital of?",
    "Which country is Rome the capital of?",
)
"""The first is asked twice: its second answer is the first one, kept."""
INDEX = 7
"""Sets the node's networks apart from those of the tests."""


def folder() -> Path:
    """Where the demonstration's cluster is."""
    return cache() / "demo-cluster"


def up() -> None:
    """Starts, installs, serves, asks, and tells how to look. Raises ClusterError or AssertionError."""
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    say("building the images of this tree; the first time this takes minutes")
    build(*NEEDED)
    layout = cluster.up(folder(), binaries(), node=True, index=INDEX, say=say)
    api = Kube(Path(layout.kubeconfig), binaries(), Path(layout.path("cache")))
    cluster.load(layout, [archive(name) for name in NEEDED])
    say("images are in the node")
    installation.make_namespace(api, installation.SYSTEM)
    installation.install(api)
    say("helm install: the operator is ready")
    installation.make_namespace(api, NAMESPACE)
    api.kubectl("apply", "-n", NAMESPACE, "-f", str(installation.ROOT / "examples" / "quickstart.yaml"))
    workloads.served(api, NAMESPACE)
    say("kubectl apply examples/quickstart.yaml: its route is Ready, a model runs")
    api.apply(workloads.deployment(NAMESPACE, "app", workloads.pod("wait", grace=1)))
    api.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/app", "--timeout=300s", timeout=320)
    workloads.served(api, NAMESPACE)
    say("an application runs, a gateway was injected into its pod")
    print()
    for question in QUESTIONS:
        answer = _ask(api, question)
        text = " ".join(str(answer["text"]).split())
        print(f"  {question:<40} {answer['seconds'] * 1000:7.0f} ms  {answer['cache']:<10} {text[:60]}", flush=True)
    print(f"\n$ kubectl get sluice -n {NAMESPACE}\n{api.kubectl('get', 'sluice', '-n', NAMESPACE)}")
    print(f"""Look around:
  export KUBECONFIG={layout.kubeconfig} PATH={binaries()}:$PATH     # brings kubectl and helm
  kubectl describe modelroute auto -n {NAMESPACE}
  kubectl get pods -n {NAMESPACE}
  kubectl exec -n {NAMESPACE} deployment/app -c app -- python /app.py "Which country is Oslo the capital of?"
End it:
  make cluster-demo-down""")


def _ask(api: Kube, question: str) -> dict[str, Any]:
    inside = ("exec", "-n", NAMESPACE, "deployment/app", "-c", "app", "--", "python", "/app.py", question)
    answer: dict[str, Any] = json.loads(api.kubectl(*inside))
    return answer


def main() -> None:
    """Runs one command; exits 1 with the reason where it fails."""
    cli = argparse.ArgumentParser(prog="python -m e2e.cluster_demo", description=__doc__)
    cli.add_argument("command", choices=["up", "down"])
    if cli.parse_args().command == "down":
        print("ended" if cluster.down(folder()) else "nothing there")
        return
    try:
        up()
    except (ClusterError, AssertionError) as problem:
        sys.exit(f"cluster-demo: {problem}")


if __name__ == "__main__":
    main()
