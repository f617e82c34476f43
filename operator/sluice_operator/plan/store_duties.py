"""What the managed stores of a namespace are to hold, and which image Qdrant may run. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.plan.owned import values
from sluice_operator.plan.plan import Duty, Manifest, QdrantDuty, RedisDuty, Ref
from sluice_operator.plan.seen import Seen, Snapshots
from sluice_operator.plan.store_secrets import REDIS_OPERATOR, redis_revision
from sluice_operator.plan.view import View
from sluice_operator.render.qdrant import HTTP, node_host
from sluice_operator.render.redis import PORT
from sluice_operator.sections import collection_prefix
from sluice_sidecar.config import QdrantStore

SERVERS = {"redis": names.REDIS_NAME, "qdrant": names.QDRANT_NAME}
"""The StatefulSet of each type of store."""


def store_duties(view: View, admin: Mapping[str, str]) -> tuple[Duty, ...]:
    """One for each managed server whose pods are all ready; `admin` are the values of STORE_ADMIN_SECRET.

    One that is not whole is left alone: it is told once it is, so also after each of its restarts.
    """
    seen, duties = view.seen, list[Duty]()
    if "redis-users" in admin and whole(seen, "redis"):
        duties.append(
            RedisDuty(
                address=f"{names.REDIS_NAME}.{seen.namespace}.svc:{PORT}",
                user=REDIS_OPERATOR,
                password=admin["redis-operator"],
                revision=redis_revision(admin["redis-users"]),
                doubted=_doubted(view, "redis"),
            )
        )
    collections = _collections(view)
    if collections and "qdrant-key" in admin and whole(seen, "qdrant"):
        wanted = seen.installation.images.qdrant
        duties.append(
            QdrantDuty(
                url=f"http://{names.QDRANT_NAME}.{seen.namespace}.svc:{HTTP}",
                nodes=tuple(f"http://{node_host(seen.namespace, node)}:{HTTP}" for node in range(_nodes(seen))),
                key=admin["qdrant-key"],
                collections=collections,
                prefix=collection_prefix(seen.namespace),
                save_before="" if _image(seen) == wanted else wanted,
                doubted=_doubted(view, "qdrant"),
            )
        )
    return tuple(duties)


def admin_values(desired: Iterable[Manifest]) -> dict[str, str]:
    """What the planned STORE_ADMIN_SECRET holds, empty where none is planned."""
    named = (m for m in desired if m["kind"] == "Secret" and m["metadata"]["name"] == names.STORE_ADMIN_SECRET)
    return values(next(named, None))


def qdrant_image(seen: Seen) -> str:
    """The installation's image, or the one that runs until snapshots of its collections are there.

    A server that is not whole is not held back, because the new image may be its cure; but where snapshots of a whole
    one failed, it keeps its image until they succeed.
    """
    there, wanted = _image(seen), seen.installation.images.qdrant
    made = seen.snapshots == Snapshots(wanted)
    failed = seen.snapshots is not None and seen.snapshots.image == wanted and not made
    return there if there and there != wanted and (failed or (whole(seen, "qdrant") and not made)) else wanted


def held_back(seen: Seen) -> str:
    """Why Qdrant does not run the installation's image; "" : it does, or is about to."""
    wanted = seen.installation.images.qdrant
    if seen.snapshots is None or seen.snapshots.image != wanted or _image(seen) in ("", wanted):
        return ""
    return seen.snapshots.problem


def whole(seen: Seen, store: str) -> bool:
    """Whether all pods of a managed server are ready."""
    found = _stateful_set(seen, store)
    status = found.get("status") or {}
    told = (status.get("observedGeneration") or 0) >= (found.get("metadata", {}).get("generation") or 0)
    return told and _ready(found) >= max(_replicas(found), 1)


def answers(seen: Seen, store: str) -> bool:
    """Whether a pod of a managed server is ready."""
    return _ready(_stateful_set(seen, store)) > 0


def _collections(view: View) -> tuple[str, ...]:
    stores = (policy.store for policy in view.compiled.config.policies.values())
    return tuple(sorted({s.collection for s in stores if isinstance(s, QdrantStore) and s.managed}))


def _doubted(view: View, store: str) -> bool:
    """Whether a gateway says of a policy in that managed store that it cannot use it."""
    policies = view.compiled.config.policies
    mine = {name for name, policy in policies.items() if policy.store and policy.store.type == store}
    fresh = (view.fresh(pod) for pod in view.running)
    return any(report.policies[name].store for report in fresh if report for name in mine & report.policies.keys())


def _stateful_set(seen: Seen, store: str) -> Mapping[str, Any]:
    return seen.children.get(Ref("apps/v1", "StatefulSet", seen.namespace, SERVERS[store])) or {}


def _image(seen: Seen) -> str:
    """What the StatefulSet says that its nodes run; "" : there is none."""
    template = (_stateful_set(seen, "qdrant").get("spec") or {}).get("template") or {}
    for container in (template.get("spec") or {}).get("containers") or ():
        if container.get("name") == "qdrant":
            return str(container.get("image") or "")
    return ""


def _nodes(seen: Seen) -> int:
    return max(_replicas(_stateful_set(seen, "qdrant")), 1)


def _replicas(found: Mapping[str, Any]) -> int:
    return int((found.get("spec") or {}).get("replicas", 1))


def _ready(found: Mapping[str, Any]) -> int:
    return int((found.get("status") or {}).get("readyReplicas") or 0)
