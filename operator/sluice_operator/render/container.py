"""The gateway's container and its volumes: the same in the shared gateway's Deployment and in an injected pod. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds.references import ConfigMapKey
from sluice_operator.render.restricted import container_security

API_TOKEN_SECONDS = 3607
"""The kubelet renews a token after 80 % of its life. The API server lengthens tokens of 3607 s for old clients, so that
a gateway whose kubelet is away goes on."""
TOKEN_SECONDS = 3600
"""Life of the token for reports and relayed calls."""
START_SECONDS = 120
"""A gateway whose data port does not listen after that is started again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a gateway listens."""

    data: int = names.GATEWAY_PORT
    admin: int = names.GATEWAY_ADMIN_PORT


@dataclass(frozen=True, slots=True)
class Extras:
    """What only some gateways mount."""

    ca_bundle: ConfigMapKey | None = None
    """Further trusted certificates: CA_FOLDER/ca.crt."""
    ca_optional: bool = False
    """Whether a pod starts without the ConfigMap of ca_bundle."""
    files: str | None = None
    """PersistentVolumeClaim of batch files: FILES_FOLDER."""
    tls: str | None = None
    """Secret of type kubernetes.io/tls: TLS_FOLDER/tls.crt and tls.key."""


def shared(
    namespace: str,
    installation: Installation,
    resources: Mapping[str, Any],
    extras: Extras = Extras(),
    *,
    workers: int = 1,
) -> dict[str, Any]:
    """The container of the namespace's gateway: its ports on all addresses. In TLS it speaks on a port of its own, for
    relayed calls of the namespace's sidecars go on in plain HTTP."""
    ports = Ports()
    arguments = [
        *("--cluster", "shared", "--host", "0.0.0.0", "--port", str(ports.data)),  # noqa: S104  (a pod's own)
        *_rest(namespace, installation, ports),
    ]
    if workers > 1:
        arguments += ["--workers", str(workers)]
    listened = {"data": ports.data, "admin": ports.admin}
    if extras.tls:
        arguments += ["--tls", names.TLS_FOLDER, "--tls-port", str(names.GATEWAY_TLS_PORT)]
        listened["tls"] = names.GATEWAY_TLS_PORT
    return {
        **_container(names.GATEWAY_NAME, arguments, installation, resources, extras, ports),
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in listened.items()],
        "readinessProbe": _probe("/readyz", ports, periodSeconds=2, timeoutSeconds=2, failureThreshold=2),
    }


def batch(
    namespace: str, installation: Installation, resources: Mapping[str, Any], extras: Extras = Extras()
) -> dict[str, Any]:
    """The container of the worker of deferred requests: nobody calls it, so its admin port is all that listens."""
    ports = Ports()
    arguments = ["--cluster", "batch", *_rest(namespace, installation, ports)]
    return {
        **_container(names.BATCH_NAME, arguments, installation, resources, extras, ports),
        "ports": [{"name": "admin", "containerPort": ports.admin, "protocol": "TCP"}],
        "readinessProbe": _probe("/readyz", ports, periodSeconds=2, timeoutSeconds=2, failureThreshold=2),
    }


def sidecar(
    namespace: str, installation: Installation, resources: Mapping[str, Any], ports: Ports, extras: Extras = Extras()
) -> dict[str, Any]:
    """A native sidecar (an init container that stays): the data port on loopback alone.

    It has no readiness probe: a namespace without a valid route must not take the app out of its Services.
    """
    arguments = [
        *("--cluster", "sidecar", "--host", "127.0.0.1", "--port", str(ports.data)),
        *_rest(namespace, installation, ports),
        *("--relay", relay_url(namespace, installation)),
    ]
    return {
        **_container(names.SIDECAR_CONTAINER, arguments, installation, resources, extras, ports),
        "restartPolicy": "Always",
        "ports": [{"name": "sluice-admin", "containerPort": ports.admin, "protocol": "TCP"}],
    }


def relay_url(namespace: str, installation: Installation) -> str:
    """The shared gateway's address, where sidecars' calls get their credentials."""
    return f"http://{names.GATEWAY_NAME}.{namespace}.svc.{installation.cluster_domain}"


def volumes(extras: Extras = Extras()) -> list[dict[str, Any]]:
    """The volumes that the containers mount. What the operator writes is optional: a pod starts without it, and waits
    for it inside."""
    found: list[dict[str, Any]] = [
        {"name": "sluice-config", "configMap": {"name": names.CONFIG_MAP, "optional": True}},
        {"name": "sluice-endpoints", "configMap": {"name": names.ENDPOINTS_MAP, "optional": True}},
        {"name": "sluice-api", "projected": {"sources": _api_sources()}},
        {
            "name": "sluice-operator",
            "projected": {
                "sources": [
                    {
                        "serviceAccountToken": {
                            "audience": names.TOKEN_AUDIENCE,
                            "expirationSeconds": TOKEN_SECONDS,
                            "path": "token",
                        }
                    }
                ]
            },
        },
        {"name": "sluice-store", "secret": {"secretName": names.STORE_SECRET, "optional": True}},
        {"name": "sluice-data", "emptyDir": {}},
    ]
    if extras.ca_bundle:
        source = {
            "name": extras.ca_bundle.name,
            "items": [{"key": extras.ca_bundle.key, "path": "ca.crt"}],
            "optional": extras.ca_optional,
        }
        found.append({"name": "sluice-ca", "configMap": source})
    if extras.files:
        found.append({"name": "sluice-files", "persistentVolumeClaim": {"claimName": extras.files}})
    if extras.tls:
        found.append({"name": "sluice-tls", "secret": {"secretName": extras.tls}})
    return found


def _api_sources() -> list[dict[str, Any]]:
    return [
        {"serviceAccountToken": {"expirationSeconds": API_TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]


def _mounts(extras: Extras) -> list[dict[str, Any]]:
    folders = {
        "sluice-config": names.CONFIG_FOLDER,
        "sluice-endpoints": names.ENDPOINTS_FOLDER,
        "sluice-api": names.API_FOLDER,
        "sluice-operator": names.OPERATOR_FOLDER,
        "sluice-store": names.STORE_FOLDER,
    }
    if extras.ca_bundle:
        folders["sluice-ca"] = names.CA_FOLDER
    if extras.tls:
        folders["sluice-tls"] = names.TLS_FOLDER
    read = [{"name": name, "mountPath": folder, "readOnly": True} for name, folder in folders.items()]
    written = {"sluice-files": names.FILES_FOLDER} if extras.files else {}
    written["sluice-data"] = names.DATA_FOLDER
    return [*read, *({"name": name, "mountPath": folder} for name, folder in written.items())]


def _rest(namespace: str, installation: Installation, ports: Ports) -> tuple[str, ...]:
    admin = ("--admin-host", "0.0.0.0", "--admin-port", str(ports.admin))  # noqa: S104  (probes come from the node)
    # Said here and not in a ConfigMap: whoever may write those gets no token sent to a server of their own.
    return (*admin, "--data", names.DATA_FOLDER, "--namespace", namespace, "--report-to", installation.report_url)


def _container(
    name: str,
    arguments: list[str],
    installation: Installation,
    resources: Mapping[str, Any],
    extras: Extras,
    ports: Ports,
) -> dict[str, Any]:
    return {
        "name": name,
        "image": installation.images.gateway,
        "imagePullPolicy": installation.images.pull_policy,
        "args": arguments,
        "env": [
            _field("POD_NAME", "metadata.name"),
            _field("POD_NAMESPACE", "metadata.namespace"),
            _field("POD_SERVICE_ACCOUNT", "spec.serviceAccountName"),
            {"name": "TMPDIR", "value": names.DATA_FOLDER},  # the root file system is read-only
        ],
        "resources": dict(resources),
        "startupProbe": _probe("/startz", ports, periodSeconds=1, timeoutSeconds=2, failureThreshold=START_SECONDS),
        "livenessProbe": _probe("/healthz", ports, periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        "securityContext": container_security(),
        "volumeMounts": _mounts(extras),
    }


def _field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _probe(path: str, ports: Ports, **numbers: int) -> dict[str, Any]:
    # A number and no name: an app's own port may have any name in an injected pod.
    return {"httpGet": {"path": path, "port": ports.admin}, **numbers}
