"""The workloads that a namespace should have, by what its Config and its objects say. Pure."""

from collections.abc import Iterable, Mapping

from sluice_operator import names
from sluice_operator.kinds import CachePolicy, Kind, QuantisedModel, SluiceGateway
from sluice_operator.kinds.quantity import size_bytes
from sluice_operator.kinds.sluice_gateway import SluiceGatewaySpec
from sluice_operator.kinds.stores import ManagedQdrant, ManagedRedis
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.plan.store_duties import qdrant_image
from sluice_operator.plan.store_secrets import key_version
from sluice_operator.render.access import access
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
        made += redis(seen.namespace, storage, seen.installation, key=key_version(admin["redis-operator"]))
    if "qdrant" in wanted:
        specs = list(_qdrant_specs(kinds)) or [_qdrant_there(seen)]
        storage = _storage(seen, names.QDRANT_NAME) or max((spec.storage for spec in specs), key=size_bytes)
        replicas, key = max(spec.replicas for spec in specs), key_version(admin["qdrant-key"])
        made += qdrant(seen.namespace, replicas, storage, seen.installation, key=key, image=qdrant_image(seen))
    return made


def gateways(seen: Seen, config_map_names: list[str], wanted: SluiceGateway | None, *, broken: bool) -> list[Manifest]:
    """The shared gateway and who may read the Config. `broken`: its object cannot be read, so what runs is kept."""
    made = access(seen.namespace, config_map_names, names.GATEWAY_NAME, sidecar_accounts(seen))
    if not broken:
        spec = wanted.spec if wanted else SluiceGatewaySpec()
        made = [*made, *gateway(seen.namespace, spec, seen.installation)]
    return made


def models(seen: Seen, sound: Iterable[QuantisedModel]) -> list[Manifest]:
    """The workloads of this namespace's models."""
    return [manifest for model in sound for manifest in llama_cpp(model, seen.installation)]


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
