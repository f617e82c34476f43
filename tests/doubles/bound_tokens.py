"""Tokens as gateways' pods have them."""

import json

from doubles.kube import Api


def pod(name: str, **metadata: object) -> dict[str, object]:
    """A pod that nothing runs."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    }


def make_pod(api: Api, namespace: str, name: str) -> str:
    """Makes a pod and returns its uid."""
    api.kubectl("create", "-n", namespace, "-f", "-", given=pod(name))
    uid: str = api.get("pod", name, "-n", namespace)["metadata"]["uid"]
    return uid


def token(api: Api, namespace: str, *, to: str = "", audience: str = "sluice") -> str:
    """A token of the namespace's default service account, bound to the pod `to` where it is given."""
    bound = ["--bound-object-kind", "Pod", "--bound-object-name", to] if to else []
    made = api.kubectl("create", "token", "default", "-n", namespace, "--audience", audience, *bound, "-o", "json")
    found: str = json.loads(made)["status"]["token"]
    return found
