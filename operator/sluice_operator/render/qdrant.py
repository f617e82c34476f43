"""A namespace's Qdrant: one node, or a cluster that node 0 starts. Pure."""

from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest
from sluice_operator.render import network
from sluice_operator.render.claim import claim
from sluice_operator.render.disruption import disruption_budget
from sluice_operator.render.gateway import pull_secrets
from sluice_operator.render.restricted import container_security, pod_security

HTTP, GRPC, PEERS = 6333, 6334, 6335
"""REST, gRPC, and what the nodes of a cluster tell each other."""
USER = 1000
HEADLESS = f"{names.QDRANT_NAME}-headless"
RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}
DATA_FOLDER = "/qdrant/data"
"""The volume: entries and snapshots on one file system, so that a snapshot is moved and not copied."""
SELECTOR = {"app.kubernetes.io/name": names.QDRANT_NAME}


def qdrant(
    namespace: str, replicas: int, storage: str, installation: Installation, *, key: str, image: str
) -> list[Manifest]:
    """Two Services, StatefulSet, PodDisruptionBudget and NetworkPolicy. `storage` is the size of each node's volume.

    `key` is the version of the server's key, which it reads when it starts; `image` may be an older one than the
    installation's, until what is in the server was saved.
    """
    callers = [network.GATEWAYS, network.operator(installation)]
    peers = {"podSelector": {"matchLabels": SELECTOR}}
    rules = [network.ingress([HTTP, GRPC], callers), network.ingress([PEERS], [peers])]
    names_and_peers: list[dict[str, Any]] = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": PEERS, "protocol": "TCP"}], "to": [peers]},
    ]
    return [
        _service(namespace, names.QDRANT_NAME, [HTTP, GRPC], {"type": "ClusterIP"}),
        # Nodes find each other before they are ready.
        _service(namespace, HEADLESS, [PEERS], {"clusterIP": "None", "publishNotReadyAddresses": True}),
        _stateful_set(namespace, replicas, storage, installation, key, image),
        disruption_budget(_metadata(namespace), SELECTOR),
        network.policy(_metadata(namespace), SELECTOR, rules, egress=names_and_peers if replicas > 1 else ()),
    ]


def _metadata(namespace: str, name: str = names.QDRANT_NAME) -> dict[str, Any]:
    return metadata(namespace, name, "qdrant", **SELECTOR)


def _service(namespace: str, name: str, ports: list[int], rest: dict[str, Any]) -> Manifest:
    named = {HTTP: "http", GRPC: "grpc", PEERS: "peers"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(namespace, name),
        "spec": {
            "selector": SELECTOR,
            "ports": [
                {"name": named[port], "port": port, "targetPort": named[port], "protocol": "TCP"} for port in ports
            ],
            **rest,
        },
    }


def node_host(namespace: str, node: int) -> str:
    """The DNS name of one node."""
    return f"{names.QDRANT_NAME}-{node}.{HEADLESS}.{namespace}.svc"


def _stateful_set(
    namespace: str, replicas: int, storage: str, installation: Installation, key: str, image: str
) -> Manifest:
    own = _metadata(namespace)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": own,
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "serviceName": HEADLESS,
            # After an outage of all nodes none is ready before the others are there.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": SELECTOR},
            "template": {
                "metadata": {"labels": own["labels"], "annotations": {names.KEY_VERSION: key}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 60,
                    "securityContext": pod_security(USER),
                    **_apart(replicas),
                    **pull_secrets(installation),
                    "containers": [_container(namespace, replicas, installation, image)],
                    "volumes": [{"name": "init", "emptyDir": {}}],
                },
            },
            "volumeClaimTemplates": [claim(storage, own["labels"])],
        },
    }


def _apart(replicas: int) -> dict[str, Any]:
    if replicas == 1:
        return {}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": SELECTOR},
    }
    return {"topologySpreadConstraints": [spread]}


def _container(namespace: str, replicas: int, installation: Installation, image: str) -> dict[str, Any]:
    clustered = replicas > 1
    settings = {
        "QDRANT__SERVICE__JWT_RBAC": "true",
        "QDRANT__STORAGE__STORAGE_PATH": f"{DATA_FOLDER}/storage",
        "QDRANT__STORAGE__SNAPSHOTS_PATH": f"{DATA_FOLDER}/snapshots",
        "QDRANT__STORAGE__TEMP_PATH": f"{DATA_FOLDER}/temporary",
        "QDRANT__TELEMETRY_DISABLED": "true",
        "QDRANT_INIT_FILE_PATH": "/qdrant/init/.qdrant-initialized",
        **({"QDRANT__CLUSTER__ENABLED": "true", "QDRANT__CLUSTER__P2P__PORT": str(PEERS)} if clustered else {}),
    }
    own_key = {"secretKeyRef": {"name": names.STORE_ADMIN_SECRET, "key": "qdrant-key"}}
    return {
        "name": "qdrant",
        "image": image,
        "imagePullPolicy": installation.images.pull_policy,
        **({"command": ["/bin/sh", "-c", _join(namespace)]} if clustered else {}),
        "env": [
            {"name": "QDRANT__SERVICE__API_KEY", "valueFrom": own_key},
            *({"name": name, "value": value} for name, value in settings.items()),
        ],
        "ports": [
            {"name": "http", "containerPort": HTTP, "protocol": "TCP"},
            {"name": "grpc", "containerPort": GRPC, "protocol": "TCP"},
            {"name": "peers", "containerPort": PEERS, "protocol": "TCP"},
        ],
        "resources": RESOURCES,
        "startupProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 2, "failureThreshold": 300},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5, "timeoutSeconds": 3},
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 10, "timeoutSeconds": 5},
        "securityContext": container_security(USER),
        "volumeMounts": [
            {"name": "data", "mountPath": DATA_FOLDER},
            {"name": "init", "mountPath": "/qdrant/init"},
        ],
    }


def _join(namespace: str) -> str:
    """Node 0 starts the cluster, the others join it; a node that is known already is told its own address again."""
    tail = f"{HEADLESS}.{namespace}.svc:{PEERS}"
    first = f"http://{node_host(namespace, 0)}:{PEERS}"
    return (
        f'[ "${{HOSTNAME##*-}}" = 0 ] && exec ./entrypoint.sh --uri {first}; '
        f"exec ./entrypoint.sh --bootstrap {first} --uri http://$HOSTNAME.{tail}"
    )
