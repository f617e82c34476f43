"""A namespace's Redis 8: one server with an append-only file, for cache entries and the gateways' state. Pure."""

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

PORT = 6379
USER = 999
"""`redis` in the official image."""
RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
DATA_BYTES = "640mb"
"""Most memory for data. What is left of the limit is for copies while the append-only file is rewritten; a full server
refuses writes and loses nothing."""
USERS_FOLDER = "/etc/redis-users"
SELECTOR = {"app.kubernetes.io/name": names.REDIS_NAME}


def redis(namespace: str, storage: str, installation: Installation, *, key: str, queue: bool = False) -> list[Manifest]:
    """Service, StatefulSet, PodDisruptionBudget and NetworkPolicy. `storage` is the size of its volume: 2Gi.

    `key` is the version of the operator's password: a server that has not read it yet cannot be told of new users.
    `queue`: deferred requests are kept in it, so that each write is on its disk before it is acknowledged.
    """
    rules = [network.ingress([PORT], [network.GATEWAYS, network.operator(installation)])]
    return [
        _service(namespace),
        _stateful_set(namespace, storage, installation, key, queue),
        disruption_budget(_metadata(namespace), SELECTOR),
        network.policy(_metadata(namespace), SELECTOR, rules, egress=()),
    ]


def _metadata(namespace: str) -> dict[str, Any]:
    return metadata(namespace, names.REDIS_NAME, "redis", **SELECTOR)


def _service(namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(namespace),
        "spec": {
            "type": "ClusterIP",
            "selector": SELECTOR,
            "ports": [{"name": "redis", "port": PORT, "targetPort": "redis", "protocol": "TCP"}],
        },
    }


def _stateful_set(namespace: str, storage: str, installation: Installation, key: str, queue: bool) -> Manifest:
    own = _metadata(namespace)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": own,
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 3,
            "serviceName": names.REDIS_NAME,
            "selector": {"matchLabels": SELECTOR},
            "template": {
                "metadata": {"labels": own["labels"], "annotations": {names.KEY_VERSION: key}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": pod_security(USER),
                    **pull_secrets(installation),
                    "containers": [_container(installation, queue)],
                    "volumes": [{"name": "users", "secret": _users()}],
                },
            },
            "volumeClaimTemplates": [claim(storage, own["labels"])],
        },
    }


def _users() -> dict[str, Any]:
    return {"secretName": names.STORE_ADMIN_SECRET, "items": [{"key": "redis-users", "path": "users.acl"}]}


def _container(installation: Installation, queue: bool) -> dict[str, Any]:
    return {
        "name": "redis",
        "image": installation.images.redis,
        "imagePullPolicy": installation.images.pull_policy,
        "command": ["redis-server"],
        "args": [
            *("--port", str(PORT), "--dir", "/data", "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "always" if queue else "everysec"),
            *("--maxmemory", DATA_BYTES, "--maxmemory-policy", "noeviction"),
            *("--aclfile", f"{USERS_FOLDER}/users.acl", "--protected-mode", "no"),  # its users are the protection
        ],
        "ports": [{"name": "redis", "containerPort": PORT, "protocol": "TCP"}],
        "resources": RESOURCES,
        # No command of a client: that would need a user, and a program that not every image has.
        "readinessProbe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 2, "timeoutSeconds": 2},
        "livenessProbe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 10, "timeoutSeconds": 5},
        "securityContext": container_security(USER),
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "users", "mountPath": USERS_FOLDER, "readOnly": True},
        ],
    }
