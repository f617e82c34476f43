"""What one namespace is like now: from the mirror, what gateways reported, and one question to the API server."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sluice_operator import names
from sluice_operator.cluster_error import NOT_FOUND, ClusterError
from sluice_operator.installation import Installation
from sluice_operator.kinds import API_VERSION, KINDS
from sluice_operator.mirror import Mirror
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.plan.seen import GatewayPod, Report, Secret, Seen, Snapshots
from sluice_operator.render.llama_cpp import owner_label


class Getter(Protocol):
    """The part of a cluster that gets one object."""

    async def get(self, ref: Ref) -> Manifest | None:
        """The object, None where there is none. Raises ClusterError."""
        ...


class Reporting(Protocol):
    """What gateways said."""

    def of(self, namespace: str) -> tuple[Report, ...]:
        """The latest report of each gateway of a namespace."""
        ...


async def observe(
    mirror: Mirror,
    reports: Reporting,
    stores: Mapping[str, str],
    installation: Installation,
    namespace: str,
    cluster: Getter,
    fresh: str,
    *,
    listening: float = 0.0,
    snapshots: Snapshots | None = None,
) -> Seen:
    """The namespace as it is now; `stores`, `fresh`, `listening`, `snapshots` as in Seen. Raises ClusterError."""
    here = mirror.of(namespace)
    objects = tuple(body for ref, body in sorted(here.items()) if _users(ref))
    children = {ref: body for ref, body in here.items() if not _users(ref) and ref.kind != "Pod" and _made(body)}
    secrets = {
        ref.name: _secret(body)
        for ref, body in here.items()
        if ref.kind == "Secret" and _labels(body).get(names.CREDENTIAL) == "true"
    }
    return Seen(
        namespace=namespace,
        installation=installation,
        objects=objects,
        models=tuple(body for ref, body in sorted(_models(mirror).items()) if ref.namespace != namespace),
        children=children,
        secrets=secrets,
        unlabelled=await _unlabelled(objects, secrets, namespace, cluster),
        pods=tuple(_pod(body) for ref, body in sorted(here.items()) if ref.kind == "Pod"),
        addresses=_addresses(mirror, namespace),
        reports=reports.of(namespace),
        listening=listening,
        stores=stores,
        snapshots=snapshots,
        fresh=fresh,
    )


def _users(ref: Ref) -> bool:
    return ref.api_version == API_VERSION and ref.kind in KINDS


def _labels(body: Manifest) -> Mapping[str, str]:
    return body["metadata"].get("labels") or {}


def _made(body: Manifest) -> bool:
    return _labels(body).get(names.MANAGED_BY) == names.MANAGED


def _models(mirror: Mirror) -> Mapping[Ref, Manifest]:
    return mirror.of_kind(API_VERSION, "QuantisedModel")


def _secret(body: Manifest) -> Secret:
    metadata = body["metadata"]
    values = {key: text for key, data in (body.get("data") or {}).items() if (text := _text(data)) is not None}
    given = (metadata.get("annotations") or {}).get(names.HOSTS, "")
    hosts = tuple(host for part in given.split(",") if (host := part.strip()))
    return Secret(metadata["name"], values, hosts)


def _text(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _pod(body: Manifest) -> GatewayPod:
    metadata, status = body["metadata"], body.get("status") or {}
    terminating = bool(metadata.get("deletionTimestamp"))
    phase = status.get("phase")
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())
    return GatewayPod(
        name=metadata["name"],
        uid=metadata.get("uid") or "",
        role=_labels(body).get(names.GATEWAY, ""),
        service_account=(body.get("spec") or {}).get("serviceAccountName") or "default",
        running=phase == "Running" and ready and not terminating,
        terminating=terminating,
        finished=phase in ("Succeeded", "Failed"),
    )


def _addresses(mirror: Mirror, namespace: str) -> dict[str, tuple[str, ...]]:
    """Base URLs of the ready replicas of each model."""
    of_label: dict[tuple[str, str], set[str]] = {}
    for ref, body in mirror.of_kind("discovery.k8s.io/v1", "EndpointSlice").items():
        labels = _labels(body)
        if labels.get(names.COMPONENT) == "model" and names.OWNER_MODEL in labels:
            of_label.setdefault((ref.namespace or "", labels[names.OWNER_MODEL]), set()).update(_urls(body))
    found = {}
    for ref in _models(mirror):
        urls = of_label.get((ref.namespace or "", owner_label(ref.name)))
        if urls:
            found[ref.name if ref.namespace == namespace else f"{ref.namespace}/{ref.name}"] = tuple(sorted(urls))
    return found


def _urls(body: Manifest) -> Iterator[str]:
    port = next((port["port"] for port in body.get("ports") or () if port.get("port")), None)
    for endpoint in body.get("endpoints") or ():
        # Unknown means ready, as the API says.
        ready = (endpoint.get("conditions") or {}).get("ready")
        if port is not None and ready is not False:
            for address in endpoint["addresses"][:1]:
                yield f"http://[{address}]:{port}/v1" if ":" in address else f"http://{address}:{port}/v1"


async def _unlabelled(
    objects: tuple[Manifest, ...], secrets: Mapping[str, Secret], namespace: str, cluster: Getter
) -> frozenset[str]:
    """Secrets that objects name, that exist and are not released: whether they exist is all that is kept of them."""
    wanted = {name for body in objects for name in _named(body.get("spec"))} - secrets.keys()
    return frozenset([name for name in sorted(wanted) if await _exists(Ref("v1", "Secret", namespace, name), cluster)])


def _named(spec: Any) -> Iterator[str]:
    """Names of credentials' Secrets anywhere in a spec; a certificate for `expose.tls` is mounted, not read."""
    if isinstance(spec, Mapping):
        name = spec.get("secret")
        if isinstance(name, str) and name:
            yield name
        for key, value in spec.items():
            if key != "tls":
                yield from _named(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _named(value)


async def _exists(ref: Ref, cluster: Getter) -> bool:
    try:
        return await cluster.get(ref) is not None
    except ClusterError as failed:
        if failed.reason == NOT_FOUND:
            return False
        raise
