"""A QuantisedModel on llama.cpp: its pods, and a headless Service whose addresses gateways spread over. Pure."""

import hashlib
import re
from pathlib import PurePosixPath
from typing import Any

from sluice_operator import names
from sluice_operator.installation import Installation
from sluice_operator.kinds import API_VERSION
from sluice_operator.kinds.quantised_model import QuantisedModel, QuantisedModelSpec
from sluice_operator.kinds.quantity import cpu_cores
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Manifest
from sluice_operator.render import network
from sluice_operator.render.gateway import pull_secrets
from sluice_operator.render.quantity import resources
from sluice_operator.render.restricted import container_security, pod_security

PORT = 8000
CONTEXT = 2048
"""Tokens of each sequence where the model does not say."""
SLOTS = 4
"""Sequences at one time where the model does not say."""
RESOURCES = {"requests": {"cpu": "500m", "memory": "512Mi"}}
"""What is set aside where the model does not say."""
START_SECONDS = 1800
"""Weights of many gigabytes from a slow volume are loaded by then."""
MODELS_FOLDER = PurePosixPath("/models")


class Unrunnable(ValueError):  # noqa: N818  (it says what the model is)
    """A model that this release does not run in a cluster: which field, why, and what to write."""


def workload_name(name: str) -> str:
    """Name of a model's Deployment and Service: names of Services have no dots and at most 63 characters."""
    plain = names.MODEL_PREFIX + name
    if "." not in plain and len(plain) <= 63:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain.replace('.', '-')[:54].rstrip('-')}-{digest}"


def owner_label(name: str) -> str:
    """Value of the label OWNER_MODEL: the model's name; labels have at most 63 characters."""
    return name if len(name) <= 63 else workload_name(name)


def llama_cpp(model: QuantisedModel, installation: Installation, *, replicas: int = 1) -> list[Manifest]:
    """Service, Deployment of so many `replicas` and NetworkPolicy, owned by `model` as the API server gives it.

    Raises Unrunnable.
    """
    if model.spec.engine != "LlamaCpp":
        raise Unrunnable(f"spec.engine: {model.spec.engine} is not llama.cpp; write LlamaCpp")
    own = _metadata(model)
    selector = {names.COMPONENT: "model", names.OWNER_MODEL: own["labels"][names.OWNER_MODEL]}
    others = [network.gateways_of(model.spec.allowed_namespaces)] if model.spec.allowed_namespaces else []
    callers = [network.GATEWAYS, *others, network.operator(installation), network.MONITORING]
    return [
        _service(own, selector),
        _deployment(own, selector, model, installation, replicas),
        network.policy(own, selector, [network.ingress([PORT], callers)]),
    ]


def _metadata(model: QuantisedModel) -> dict[str, Any]:
    about = model.metadata
    if about.namespace is None or about.uid is None:
        raise Unrunnable(f"QuantisedModel {about.name} has no namespace or no uid: it is not from an API server")
    owner = {"apiVersion": API_VERSION, "kind": "QuantisedModel", "name": about.name, "uid": about.uid}
    labels = {"app.kubernetes.io/name": "sluice-model", names.OWNER_MODEL: owner_label(about.name)}
    return {
        **metadata(about.namespace, workload_name(about.name), "model", **labels),
        "ownerReferences": [{**owner, "controller": True}],
    }


def _service(own: dict[str, Any], selector: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": own,
        "spec": {
            "clusterIP": "None",
            "selector": selector,
            "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _deployment(
    own: dict[str, Any], selector: dict[str, str], model: QuantisedModel, installation: Installation, replicas: int
) -> Manifest:
    volume, mount, where = _source(model.spec)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": own,
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector},
            "strategy": {"type": "Recreate"},  # two copies of the weights rarely fit
            "template": {
                "metadata": {"labels": own["labels"]},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": pod_security(),
                    **pull_secrets(installation),
                    "containers": [_container(model, installation, where, mount)],
                    "volumes": [{"name": "temporary", "emptyDir": {}}, *volume],
                },
            },
        },
    }


def _container(
    model: QuantisedModel, installation: Installation, where: list[str], mount: list[dict[str, Any]]
) -> dict[str, Any]:
    health = {"httpGet": {"path": "/health", "port": "http"}}
    hardware = model.spec.hardware
    given = {key: value for key, value in (("cpu", hardware.cpu), ("memory", hardware.memory)) if value is not None}
    return {
        "name": "llama",
        "image": installation.images.llama_cpp,
        "imagePullPolicy": installation.images.pull_policy,
        "command": ["python", "-m", "sluice_cli.llama_serve"],
        "args": [*where, *_arguments(model.metadata.name, model.spec)],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": resources(RESOURCES, {"requests": given, "limits": given}),
        "startupProbe": {**health, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": START_SECONDS // 2},
        "readinessProbe": {**health, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**health, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6},
        "securityContext": container_security(),
        "volumeMounts": [{"name": "temporary", "mountPath": "/tmp"}, *mount],  # noqa: S108  (the pod's own)
    }


def _arguments(name: str, spec: QuantisedModelSpec) -> tuple[str, ...]:
    inference = spec.inference
    speculative = inference.speculative
    ngram = (speculative.draft.ngram or 0) if speculative else 0
    cache = {"auto": "f16", "fp8": "q8_0"}.get(spec.quantisation.kv_cache, spec.quantisation.kv_cache)
    # Without a limit the engine takes the node's processors, as it does on one machine.
    threads = max(1, int(cpu_cores(spec.hardware.cpu))) if spec.hardware.cpu else 0
    return (
        *("--host", "0.0.0.0", "--port", str(PORT), "--alias", name),  # noqa: S104  (a pod's own)
        *("--slots", str(inference.max_sequences or SLOTS)),
        *("--context", str(inference.context_length or CONTEXT)),
        *("--threads", str(threads), "--kv-cache", cache),
        *("--ngram", str(ngram), "--draft", str(speculative.tokens if speculative else 5)),
        *(() if inference.prefix_caching else ("--no-prefix-cache",)),
    )


def _source(spec: QuantisedModelSpec) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """The volume, where it is mounted, and the arguments that name the weights."""
    source = spec.source
    if source.package is not None:
        file = ["--file", source.package.file] if source.package.file else []
        return [], [], ["--package", source.package.name, *file]
    if source.pvc is not None:
        volume = {"name": "model", "persistentVolumeClaim": {"claimName": source.pvc.claim, "readOnly": True}}
        path = MODELS_FOLDER / source.pvc.path.lstrip("/")
        return [volume], [_mount(MODELS_FOLDER)], ["--model", str(path)]
    if source.host_path is not None:
        path = PurePosixPath(source.host_path.path)
        if not re.fullmatch(r"(/[^/]+)+", str(path)) or ".." in path.parts:
            raise Unrunnable(
                f'spec.source.hostPath.path: "{path}" is not an absolute path below /; write for example '
                '"/var/lib/models/model.gguf"'
            )
        # The file or folder itself and nothing beside it.
        at = MODELS_FOLDER / path.name
        return [{"name": "model", "hostPath": {"path": str(path)}}], [_mount(at)], ["--model", str(at)]
    raise Unrunnable("spec.source: this release runs models in a cluster from package, pvc or hostPath alone")


def _mount(at: PurePosixPath) -> dict[str, Any]:
    return {"name": "model", "mountPath": str(at), "readOnly": True}
