"""The plan of one namespace: everything that its objects ask for, and what their statuses say. Pure.

What routes share (Config, gateway, credentials, stores) belongs to the namespace and goes with its last route.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sluice_operator import names
from sluice_operator.compile import Compiled, compile  # noqa: A004
from sluice_operator.credentials import ClusterView
from sluice_operator.kinds import Kind, QuantisedModel
from sluice_operator.plan import capacity, workloads
from sluice_operator.plan.config_maps import config_maps, config_ref, endpoints_map, is_foreign, last_config
from sluice_operator.plan.credentials_secret import cluster_view, credentials_secret, salt_of, secret_ref, widened
from sluice_operator.plan.diff import diff, stamped
from sluice_operator.plan.plan import Event, Manifest, Plan, Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.plan.statuses import statuses
from sluice_operator.plan.store_duties import admin_values, store_duties
from sluice_operator.plan.store_secrets import store_secrets
from sluice_operator.plan.view import View
from sluice_operator.render.llama_cpp import owner_label
from sluice_operator.resource import Resource, parse
from sluice_sidecar.config import Endpoints, Reports


@dataclass(frozen=True, slots=True)
class Read:
    """The namespace's objects, parsed. What is being deleted is not there any more."""

    objects: tuple[Manifest, ...]
    resources: tuple[Resource, ...]

    def kinds(self) -> tuple[Kind, ...]:
        """Those that can be read."""
        return tuple(resource.value for resource in self.resources if resource.value is not None)

    def has_route(self) -> bool:
        """Whether there is a ModelRoute, readable or not."""
        return any(resource.kind == "ModelRoute" for resource in self.resources)


def plan(seen: Seen, now: float) -> Plan:
    """What to write for one namespace; `now` is unix seconds. Planning an applied plan again writes nothing."""
    read = _read(seen.objects)
    secrets = cluster_view(seen)
    compiled = compile(
        (*read.resources, *_read(seen.models).resources),
        # What was published goes with the last route, so nothing of it holds any more.
        last_config(seen.namespace, seen.children) if read.has_route() else None,
        namespace=seen.namespace,
        cluster=secrets,
    )
    view = View(seen, compiled, now, read.has_route())
    desired = [*_models(read, view)]
    if read.has_route():
        desired = [*_shared(seen, read, compiled, secrets), *desired]
    apply, delete = diff(desired, seen.children, _kept(seen, read, compiled))
    written, events, wake = statuses(read.objects, read.kinds(), view)
    if read.has_route():
        events = (*_doubts(seen), *events)
    duties = store_duties(view, admin_values(desired))
    return Plan(_without_gaps(apply, seen), delete, written, events, wake, duties)


def _read(objects: Iterable[Manifest]) -> Read:
    there = tuple(data for data in objects if not data["metadata"].get("deletionTimestamp"))
    # Statuses are written here, never read as a user's wish.
    return Read(there, tuple(parse({k: v for k, v in data.items() if k != "status"}) for data in there))


def _shared(seen: Seen, read: Read, compiled: Compiled, secrets: ClusterView) -> list[Manifest]:
    """What all routes share, in the order in which it is written: what a Config needs stands before it."""
    config = compiled.config
    managed = workloads.managed_stores(config)
    queue = workloads.has_queue(config)
    sign_in = store_secrets(
        seen, config, read.kinds(), redis="redis" in managed, qdrant="qdrant" in managed, queue=queue
    )
    made = [
        credentials_secret(seen, config, secrets),
        *sign_in,
        *workloads.stores(seen, config, read.kinds(), admin_values(sign_in)),
    ]
    salt = salt_of(seen)
    published = config_maps(seen.namespace, config, salt)
    maps = [*published, endpoints_map(seen.namespace, _endpoints(seen, compiled), salt)]
    listed, broken = [m["metadata"]["name"] for m in maps], _gateway_is_broken(read)
    return [*made, *maps, *workloads.gateways(seen, config, read.kinds(), listed, broken=broken)]


def _doubts(seen: Seen) -> Iterator[Event]:
    """An Event about a Config that somebody else wrote; the plan replaces it, so that it is told once."""
    if is_foreign(seen.namespace, seen.children):
        ref = config_ref(seen.namespace)
        message = (
            "its signature is not the operator's, so nothing in it is believed and it is written anew; a broken object "
            "has no last valid section now. After an upgrade from a release that did not sign, or when Secret "
            f"{names.CREDENTIALS_SECRET} was lost, this is told once; else find out who may write this ConfigMap"
        )
        uid = seen.children[ref]["metadata"].get("uid", "")
        yield Event(ref, uid, "Warning", "ConfigNotOurs", message)


def _gateway_is_broken(read: Read) -> bool:
    return any(resource.kind == "SluiceGateway" and resource.value is None for resource in read.resources)


def _models(read: Read, view: View) -> list[Manifest]:
    """The workloads of the namespace's sound models, whether a route uses them or not: they are there to be used."""
    broken = _broken_models(view.seen, view.compiled)
    models = [
        value for value in read.kinds() if isinstance(value, QuantisedModel) and value.metadata.name not in broken
    ]
    return workloads.models(view.seen, models, capacity.replicas(models, read.kinds(), view))


def _broken_models(seen: Seen, compiled: Compiled) -> frozenset[str]:
    return frozenset(p.name for p in compiled.errors if (p.kind, p.namespace) == ("QuantisedModel", seen.namespace))


def _kept(seen: Seen, read: Read, compiled: Compiled) -> list[Ref]:
    """What stays as it is because the object that it is made of has a mistake: nobody's mistake stops what runs."""
    there = {resource.name for resource in read.resources if resource.kind == "QuantisedModel"}
    broken = {owner_label(name) for name in _broken_models(seen, compiled) & there}
    gateway = read.has_route() and _gateway_is_broken(read)
    kept = []
    for ref, manifest in seen.children.items():
        labels: Mapping[str, str] = manifest["metadata"].get("labels") or {}
        if labels.get(names.OWNER_MODEL) in broken or (gateway and labels.get(names.COMPONENT) in ("gateway", "batch")):
            kept.append(ref)
    return kept


def _endpoints(seen: Seen, compiled: Compiled) -> Endpoints:
    """Ready addresses of the models that the Config names, and why others never get one."""
    wanted = {b.managed for route in compiled.config.routes.values() for b in route.backends.values() if b.managed}
    there = {name: seen.addresses[name] for name in wanted if seen.addresses.get(name)}
    lost = {
        name: f"QuantisedModel {name} is not there, or is refused for its own problems"
        for name in wanted
        if name not in there and name not in compiled.models
    }
    report = seen.installation
    reports = Reports(url=report.report_url, ca=report.report_ca) if report.report_url else None
    return Endpoints(models=dict(sorted(there.items())), unavailable=dict(sorted(lost.items())), reports=reports)


def _without_gaps(apply: tuple[Manifest, ...], seen: Seen) -> tuple[Manifest, ...]:
    """The same writes, but no credential is taken away before the Config that does not need it any more is there."""
    ref = secret_ref(seen.namespace, names.CREDENTIALS_SECRET)
    final = next((manifest for manifest in apply if Ref.of(manifest) == ref), None)
    first = widened(final, seen.children.get(ref)) if final else None
    if final is None or first is None:
        return apply
    rest = [manifest for manifest in apply if manifest is not final]
    return (stamped(first), *rest, final)
