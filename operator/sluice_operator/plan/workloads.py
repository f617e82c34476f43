"""The workloads that a namespace should have, by what its Config and its objects say. Pure."""

from collections.abc import Iterable, Mapping

from sluice_operator import names
from sluice_operator.kinds import BatchWindow, CachePolicy, Kind, QuantisedModel, SluiceGateway
from sluice_operator.kinds.quantity import size_bytes
from sluice_operator.kinds.sluice_gateway import SluiceGatewaySpec
from sluice_operator.kinds.stores import ManagedQdrant, ManagedRedis
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.plan.store_duties import qdrant_image
from sluice_operator.plan.store_secrets import key_version
from sluice_operator.render.access import access
from sluice_operator.render.batch import batch
from sluice_operator.render.files import MANY, Files, files_claim
from sluice_operator.render.gateway import gateway
from sluice_operator.render.llama_cpp import llama_cpp
from sluice_operator.render.qdrant import qdrant
from sluice_operator.render.redis import redis
from sluice_sidecar.config import Config


def managed_stores(config: Config) -> frozenset[str]:
    """Which servers (redis, qdrant) the Config wants to be run here."""
    stores = [config.gateway.state, *(policy.store for policy in config.policies.values())]
    return frozenset(store.type for store in stores if store is not None and store.managed)


def stores(seen: Seen, config: Config, objects: Iterable[Kind], admin: Mapping[str, str]) -> list[Manifest]:
    """The managed servers, each once a namespace: the largest that any object asks for.

    `admin` are the values of STORE_ADMIN_SECRET, as planned.

    A volume's size is never changed: a StatefulSet's claims are immutable.
    """
    wanted, kinds = managed_stores(config), tuple(objects)
    made: list[Manifest] = []
    if "redis" in wanted:
        sizes = [spec.storage for spec in _redis_specs(kinds)] or [ManagedRedis().storage]
        storage = _storage(seen, names.REDIS_NAME) or max(sizes, key=size_bytes)
        key = key_version(admin["redis-operator"])
        made += redis(seen.namespace, storage, seen.installation, key=key, queue=has_queue(config))
    if "qdrant" in wanted:
        specs = list(_qdrant_specs(kinds)) or [_qdrant_there(seen)]
        storage = _storage(seen, names.QDRANT_NAME) or max((spec.storage for spec in specs), key=size_bytes)
        replicas, key = max(spec.replicas for spec in specs), key_version(admin["qdrant-key"])
        made += qdrant(seen.namespace, replicas, storage, seen.installation, key=key, image=qdrant_image(seen))
    return made


def has_queue(config: Config) -> bool:
    """Whether deferred requests are kept: there is a window to run them in, and a Redis to keep them in."""
    return bool(config.windows) and config.gateway.state is not None


def gateways(
    seen: Seen, config: Config, objects: Iterable[Kind], config_map_names: list[str], *, broken: bool
) -> list[Manifest]:
    """The shared gateway, its worker of deferred requests where there is a queue, and who may read the Config.

    `broken`: the SluiceGateway cannot be read, so what runs is kept.
    """
    kinds, queue = tuple(objects), has_queue(config)
    worker = names.BATCH_NAME if queue else None
    made = access(seen.namespace, config_map_names, names.GATEWAY_NAME, sidecar_accounts(seen), batch_account=worker)
    if broken:
        return made
    spec = next((value.spec for value in kinds if isinstance(value, SluiceGateway)), SluiceGatewaySpec())
    claim = _claim(seen, kinds, spec) if queue else None
    there = claim_there(seen)
    # One that is being deleted goes when nobody mounts it any more, and is made anew then.
    files = _files(there or claim) if queue and not is_leaving(there) else None
    # A claim is made once. The gateway mounts it when there is a volume behind it, which needs the worker's pod first:
    # a class that cannot give one never keeps the gateway from starting.
    return [
        *made,
        *([claim] if claim and not there else []),
        *gateway(seen.namespace, spec, seen.installation, files=files if is_bound(there) else None),
        *(batch(seen.namespace, spec, seen.installation, files) if queue else []),
    ]


def claim_there(seen: Seen) -> Manifest | None:
    """The claim of batch files, as it is."""
    return seen.children.get(Ref("v1", "PersistentVolumeClaim", seen.namespace, names.FILES_CLAIM))


def is_bound(claim: Manifest | None) -> bool:
    """Whether there is a volume behind a claim, or was one, and it stays."""
    phase = (claim or {}).get("status", {}).get("phase", "Pending")
    return phase != "Pending" and not is_leaving(claim)


def is_leaving(claim: Manifest | None) -> bool:
    """Whether somebody deletes a claim."""
    return bool(claim and claim["metadata"].get("deletionTimestamp"))


def models(seen: Seen, sound: Iterable[QuantisedModel], replicas: Mapping[str, int]) -> list[Manifest]:
    """The workloads of this namespace's models, each with as many `replicas` as its name has there."""
    return [
        manifest
        for model in sound
        for manifest in llama_cpp(model, seen.installation, replicas=replicas[model.metadata.name])
    ]


def _claim(seen: Seen, kinds: tuple[Kind, ...], spec: SluiceGatewaySpec) -> Manifest | None:
    """The largest that any window asks for. One gateway and its worker can share a node."""
    windows = (value.spec.files for value in kinds if isinstance(value, BatchWindow))
    wanted = [files.pvc for files in windows if files and files.pvc]
    if not wanted:
        return None
    largest = max(wanted, key=lambda claim: size_bytes(claim.storage))
    return files_claim(seen.namespace, largest, one_node=spec.replicas == 1)


def _files(claim: Manifest | None) -> Files | None:
    return None if claim is None else Files(one_node=MANY not in claim["spec"]["accessModes"])


def sidecar_accounts(seen: Seen) -> list[str]:
    """ServiceAccounts of pods with an injected gateway."""
    return sorted({pod.service_account for pod in seen.pods if pod.role == "sidecar" and not pod.finished})


def _redis_specs(objects: tuple[Kind, ...]) -> Iterable[ManagedRedis]:
    for value in objects:
        if isinstance(value, CachePolicy) and value.spec.store.redis and value.spec.store.redis.managed:
            yield value.spec.store.redis.managed
        state = value.spec.state if isinstance(value, SluiceGateway) else None
        if state and state.redis and state.redis.managed:
            yield state.redis.managed


def _qdrant_specs(objects: tuple[Kind, ...]) -> Iterable[ManagedQdrant]:
    for value in objects:
        if isinstance(value, CachePolicy) and value.spec.store.qdrant and value.spec.store.qdrant.managed:
            yield value.spec.store.qdrant.managed


def _qdrant_there(seen: Seen) -> ManagedQdrant:
    """What runs already, for a policy that cannot be read now."""
    found = seen.children.get(Ref("apps/v1", "StatefulSet", seen.namespace, names.QDRANT_NAME))
    return ManagedQdrant(replicas=((found or {}).get("spec") or {}).get("replicas", 1))


def _storage(seen: Seen, name: str) -> str | None:
    found = seen.children.get(Ref("apps/v1", "StatefulSet", seen.namespace, name))
    claims = ((found or {}).get("spec") or {}).get("volumeClaimTemplates") or ()
    for claim in claims:
        size = claim.get("spec", {}).get("resources", {}).get("requests", {}).get("storage")
        if isinstance(size, str):
            return size
    return None
