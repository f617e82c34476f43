"""A namespace as a plan sees it, and a cluster that does what a plan says: pure, without an API server."""

import base64
import copy
import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sluice_operator.installation import Installation
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Plan, Ref
from sluice_operator.plan.seen import GatewayPod, Report, Secret, Seen
from sluice_sidecar.config import Config

NAMESPACE = "team"
NOW = 1_800_000_000.0
Data = dict[str, Any]


def lived(data: Data, namespace: str = NAMESPACE, generation: int = 1) -> Data:
    """The object as an API server gives it."""
    name, kind = data["metadata"]["name"], data["kind"]
    given = {"namespace": namespace, "uid": f"uid-{kind}-{name}", "generation": generation}
    return {**data, "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", **given, **data["metadata"]}}


def seen(*objects: Data, secrets: Iterable[Secret] = (), **more: Any) -> Seen:
    """The namespace with these objects; nothing was made of them yet."""
    return Seen(
        namespace=NAMESPACE,
        installation=Installation(report_url="https://sluice-operator-reports.sluice-system.svc:9443"),
        objects=tuple(lived(data) for data in objects),
        secrets={secret.name: secret for secret in secrets},
        listening=3600.0,
        **{"fresh": fresh(0), **more},
    )


def fresh(number: int) -> str:
    """Another 64 digits for each observation."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def applied(before: Seen, done: Plan) -> Seen:
    """What is seen once the plan was executed; the server adds fields of its own."""
    children = dict(before.children)
    for manifest in done.apply:
        there = copy.deepcopy(dict(manifest))
        there["metadata"] = {**there["metadata"], "resourceVersion": "7", "uid": f"uid-{Ref.of(manifest)}"}
        children[Ref.of(manifest)] = there
    for ref in done.delete:
        del children[ref]
    written = {update.ref: copy.deepcopy(dict(update.status)) for update in done.statuses}
    objects = tuple({**data, "status": written.get(Ref.of(data), data.get("status", {}))} for data in before.objects)
    number = int(before.fresh[:8], 16) + 1
    return dataclasses.replace(before, children=children, objects=objects, fresh=fresh(number))


def settled(before: Seen, now: float = NOW) -> Seen:
    """What is seen after one round."""
    return applied(before, plan(before, now))


def changed(before: Seen, *objects: Data) -> Seen:
    """The namespace with these objects instead; those that were there keep their statuses."""
    statuses = {Ref.of(data): data.get("status", {}) for data in before.objects}
    lives = [lived(data) for data in objects]
    return dataclasses.replace(
        before, objects=tuple({**data, "status": statuses.get(Ref.of(data), {})} for data in lives)
    )


def child(of: Seen, kind: str, name: str) -> Mapping[str, Any]:
    """An object that the operator made; fails where it made none."""
    (found,) = [m for ref, m in of.children.items() if (ref.kind, ref.name) == (kind, name)]
    return found


def secret_values(of: Seen, name: str) -> dict[str, str]:
    """A made Secret's decoded entries."""
    return {k: base64.b64decode(v).decode() for k, v in child(of, "Secret", name)["data"].items()}


def published(of: Seen) -> Config:
    """The Config in the ConfigMap."""
    return Config.model_validate_json(child(of, "ConfigMap", "sluice-config")["data"]["config.json"])


def status(of: Seen, kind: str, name: str) -> dict[str, Any]:
    """An object's status."""
    (found,) = [data["status"] for data in of.objects if (data["kind"], data["metadata"]["name"]) == (kind, name)]
    return dict(found)


def ready(of: Seen, kind: str, name: str) -> tuple[str, str]:
    """Status and reason of its condition Ready."""
    (found,) = [entry for entry in status(of, kind, name)["conditions"] if entry["type"] == "Ready"]
    return found["status"], found["reason"]


def pod(name: str, role: str = "shared", **more: Any) -> GatewayPod:
    """A running gateway."""
    return GatewayPod(
        name=name, uid=f"uid-{name}", role=role, service_account=f"{role}-account", **{"running": True, **more}
    )


def report(of: GatewayPod, config: Config, received: float = NOW, **more: Any) -> Report:
    """What a gateway says that serves all of the Config."""
    routes = {name: route.digest for name, route in config.routes.items()}
    return Report(
        namespace=NAMESPACE,
        pod=of.name,
        pod_uid=of.uid,
        received=received,
        **{"digest": config.digest, "routes": routes, "started": NOW - 1000, **more},
    )
