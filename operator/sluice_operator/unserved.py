"""What the kinds can say and this release does not do: told for every object, so that nothing is ignored in silence.

An error where ignoring it would loosen safety, quality or money; a warning where it only costs time or comfort.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Generic, Literal, TypeVar

from sluice_operator.kinds import (
    BatchWindow,
    CachePolicy,
    Kind,
    ModelRoute,
    PromptAudit,
    QuantisedModel,
    SluiceGateway,
)
from sluice_operator.problem import Problem, Severity
from sluice_sidecar.config import WIDTH

K = TypeVar("K", bound=Kind)
Where = Literal["laptop", "cluster", "both"]
REASON = "NotInThisRelease"


@dataclass(frozen=True, slots=True)
class Unserved(Generic[K]):
    """One field that this release does not serve."""

    field: str
    severity: Severity
    message: str
    given: Callable[[K], object]
    """Something true when the object says it."""
    where: Where = "both"
    """Where it is not served: on one machine (`sluice run`), in a cluster (the operator), or in both."""


def _in_config_map(route: ModelRoute) -> bool:
    return any(rewrite.config_map for rewrite in route.spec.prompt.rewrites) if route.spec.prompt else False


_ROUTE: tuple[Unserved[ModelRoute], ...] = (
    Unserved(
        "spec.limits",
        "error",
        "limits are not enforced by this release, so requests and cost would have no bound; take them out to go on so",
        lambda route: route.spec.limits,
    ),
    Unserved(
        "spec.prompt.rewrites.configMap",
        "error",
        "on one machine there are no ConfigMaps; write the change as edits: [{find: ..., replace: ...}]",
        _in_config_map,
        where="laptop",
    ),
    Unserved(
        "spec.prompt.rewrites.configMap",
        "error",
        "this release reads no rewrites from ConfigMaps; write the change as edits: [{find: ..., replace: ...}]",
        _in_config_map,
        where="cluster",
    ),
    Unserved(
        "spec.resilience.hedge",
        "warning",
        "this release sends no hedged calls: a slow backend is waited for",
        lambda route: route.spec.resilience.hedge,
    ),
    Unserved(
        "spec.affinity",
        "warning",
        "this release runs one replica of a model, so affinity changes nothing",
        lambda route: route.spec.affinity != "None",
    ),
    Unserved(
        "spec.strategy.cascade.accept.quality",
        "error",
        "this release does not calibrate for a quality, so answers would be accepted without it; "
        "give confidence or checks instead",
        lambda route: (
            route.spec.strategy
            and route.spec.strategy.cascade
            and route.spec.strategy.cascade.accept.quality is not None
        ),
    ),
)


def _by_meaning(policy: CachePolicy) -> bool:
    return policy.spec.uses("paraphrase") or policy.spec.uses("label")


def _is_wide(policy: CachePolicy) -> bool:
    embedding = policy.spec.embedding.onnx or policy.spec.embedding.open_ai
    return embedding is not None and embedding.dimensions > WIDTH and _by_meaning(policy)


_POLICY: tuple[Unserved[CachePolicy], ...] = (
    Unserved(
        "spec.store.qdrant.managed",
        "error",
        "in a managed Qdrant this release makes collections of 384 dimensions; take a model of as many or fewer, "
        "or give the url of a Qdrant of your own",
        lambda policy: policy.spec.store.qdrant and policy.spec.store.qdrant.managed and _is_wide(policy),
        where="cluster",
    ),
    Unserved(
        "spec.embedding.onnx",
        "error",
        "in a cluster this release mounts no folder for a model of your own; serve it at an address, and write openAI",
        lambda policy: policy.spec.embedding.onnx and _by_meaning(policy),
        where="cluster",
    ),
    Unserved(
        "spec.reuse.paraphrase.verifier.onnx",
        "error",
        "in a cluster this release mounts no folder for a model of your own; serve it at an address: write endpoint",
        lambda policy: policy.spec.verifier and policy.spec.verifier.onnx,
        where="cluster",
    ),
    Unserved(
        "spec.embedding",
        "warning",
        "this policy does not compare wordings, so it changes nothing",
        lambda policy: policy.spec.embedding.builtin is None and not _by_meaning(policy),
    ),
    Unserved(
        "spec.store.qdrant.managed",
        "error",
        "the operator runs managed stores in a cluster; on one machine give url, or store: {embedded: {}}",
        lambda policy: policy.spec.store.qdrant and policy.spec.store.qdrant.managed,
        where="laptop",
    ),
    Unserved(
        "spec.store.redis.managed",
        "error",
        "the operator runs managed stores in a cluster; on one machine give address, or store: {embedded: {}}",
        lambda policy: policy.spec.store.redis and policy.spec.store.redis.managed,
        where="laptop",
    ),
)


def _on_a_node(path: str) -> bool:
    """Whether a path names one file or folder of a machine, wherever it is read from."""
    parts = PurePosixPath(path).parts
    return path.startswith("/") and not path.startswith("//") and len(parts) > 1 and ".." not in parts


_MODEL: tuple[Unserved[QuantisedModel], ...] = (
    Unserved(
        "spec.engine",
        "error",
        "this release runs LlamaCpp alone in a cluster; write LlamaCpp, or a custom backend for a vLLM of your own",
        lambda model: model.spec.engine == "VLLM",
        where="cluster",
    ),
    Unserved(
        "spec.source",
        "error",
        "this release starts models in a cluster from package, pvc or hostPath alone; put the file on a volume",
        lambda model: model.spec.source.hugging_face or model.spec.source.image,
        where="cluster",
    ),
    Unserved(
        "spec.source.hostPath.path",
        "error",
        "on a node it must be absolute, below / and without ..; write for example /var/lib/models/model.gguf",
        lambda model: model.spec.source.host_path and not _on_a_node(model.spec.source.host_path.path),
        where="cluster",
    ),
    Unserved(
        "spec.quantisation.method",
        "error",
        "in a cluster this release serves a GGUF file as it is; put the converted file there, and take the method out",
        lambda model: model.spec.quantisation.method != "None",
        where="cluster",
    ),
    Unserved(
        "spec.hardware.gpus",
        "error",
        "this release runs LlamaCpp on processors alone; take gpus out to go on so",
        lambda model: model.spec.hardware and model.spec.hardware.gpus,
        where="cluster",
    ),
    Unserved(
        "spec.quantisation.gate",
        "error",
        "this release does not measure a model's loss, so it would serve unmeasured; take it out to go on so",
        lambda model: model.spec.quantisation.gate,
    ),
    Unserved(
        "spec.quantisation.job",
        "warning",
        "this release calibrates nothing: it converts GGUF files to another method, and serves all else as it is",
        lambda model: model.spec.quantisation.job,
    ),
    Unserved(
        "spec.inference.speculative.draft.source",
        "warning",
        "this release runs no draft model; give ngram, or take it out",
        lambda model: model.spec.inference.speculative and model.spec.inference.speculative.draft.source,
    ),
    Unserved(
        "spec.replicas",
        "warning",
        "this release runs one replica",
        lambda model: model.spec.replicas is not None and model.spec.replicas != 1,
        where="laptop",
    ),
    Unserved(
        "spec.replicas",
        "warning",
        "it counts where scaling.mode is External; else this release runs one replica",
        lambda model: model.spec.replicas not in (None, 1) and model.spec.scaling.mode == "Managed",
        where="cluster",
    ),
    Unserved(
        "spec.scaling",
        "warning",
        "this release runs one replica, always",
        lambda model: (model.spec.scaling.min, model.spec.scaling.max, model.spec.scaling.mode) != (1, 1, "Managed"),
        where="laptop",
    ),
    Unserved(
        "spec.scaling",
        "warning",
        "this release runs one replica, and those of BatchWindows while they are open; External takes what /scale says",
        lambda model: (model.spec.scaling.min, model.spec.scaling.max) != (1, 1),
        where="cluster",
    ),
    Unserved(
        "spec.rollout",
        "warning",
        "this release starts the new replica after the old one has gone",
        lambda model: model.spec.rollout.model_fields_set,
    ),
)

_GATEWAY: tuple[Unserved[SluiceGateway], ...] = (
    Unserved(
        "spec.auth.oidc",
        "error",
        "this release does not check tokens of an identity provider; use auth.keys",
        lambda gateway: gateway.spec.auth.oidc,
    ),
    Unserved(
        "spec.egress.caBundle",
        "warning",
        "on one machine the system's certificates alone are trusted; name a file that holds yours too in SSL_CERT_FILE",
        lambda gateway: gateway.spec.egress.ca_bundle,
        where="laptop",
    ),
    Unserved(
        "spec.expose.tls",
        "error",
        "sluice run speaks plain HTTP; put a proxy before it that speaks TLS, and take it out",
        lambda gateway: gateway.spec.expose.tls,
        where="laptop",
    ),
    Unserved(
        "spec.expose.httpRoute",
        "warning",
        "this release makes no HTTPRoute",
        lambda gateway: gateway.spec.expose.http_route,
        where="laptop",
    ),
    Unserved(
        "spec.state",
        "warning",
        "this release keeps state in the gateway's data folder",
        lambda gateway: gateway.spec.state,
        where="laptop",
    ),
    Unserved(
        "spec.telemetry.otlp",
        "warning",
        "this release sends no traces; /metrics of the admin port has Prometheus metrics",
        lambda gateway: gateway.spec.telemetry.otlp,
    ),
    Unserved(
        "spec.replicas",
        "warning",
        "this release runs one gateway",
        lambda gateway: "replicas" in gateway.spec.model_fields_set and gateway.spec.replicas != 1,
        where="laptop",
    ),
    Unserved(
        "spec.workers",
        "warning",
        "sluice run takes the number of processes from --workers",
        lambda gateway: gateway.spec.workers != 1,
        where="laptop",
    ),
    Unserved(
        "spec.resources",
        "warning",
        "this release sets no bounds on the gateway's processors and memory",
        lambda gateway: gateway.spec.resources.model_fields_set,
        where="laptop",
    ),
)

_WINDOW: tuple[Unserved[BatchWindow], ...] = (
    Unserved(
        "spec.files.s3",
        "error",
        "this release keeps batch files on a volume; write files: {pvc: {storage: 10Gi}}",
        lambda window: window.spec.files and window.spec.files.s3,
        where="cluster",
    ),
    Unserved(
        "spec.capacity.quantisedModel.namespace",
        "warning",
        "this release raises models of the window's own namespace alone; put a BatchWindow beside the model",
        lambda window: (
            window.spec.capacity
            and window.spec.capacity.quantised_model.namespace not in (None, window.metadata.namespace)
        ),
        where="cluster",
    ),
    Unserved(
        "spec.provider.batchAPI",
        "error",
        "this release does not use a provider's own batches, so requests would cost their full price; take it out to "
        "go on so",
        lambda window: window.spec.provider.batch_api,
    ),
    Unserved(
        "spec.capacity",
        "warning",
        "this release runs one replica of a model, in the window and outside",
        lambda window: window.spec.capacity,
        where="laptop",
    ),
    Unserved(
        "spec.files",
        "warning",
        "on one machine files are kept in the gateway's data folder",
        lambda window: window.spec.files,
        where="laptop",
    ),
)
_AUDIT: tuple[Unserved[PromptAudit], ...] = (
    Unserved(
        "spec",
        "warning",
        "requests are sampled for it, and nothing in this release runs it on its schedule",
        lambda _: True,
    ),
)


def unserved(value: Kind, *, cluster: bool = False) -> Iterator[Problem]:
    """A problem for everything in the object that this release does not serve, on one machine or in a `cluster`."""
    if isinstance(value, ModelRoute):
        return _problems(value, _ROUTE, cluster)
    if isinstance(value, CachePolicy):
        return _problems(value, _POLICY, cluster)
    if isinstance(value, QuantisedModel):
        return _problems(value, _MODEL, cluster)
    if isinstance(value, SluiceGateway):
        return _problems(value, _GATEWAY, cluster)
    if isinstance(value, BatchWindow):
        return _problems(value, _WINDOW, cluster)
    return _problems(value, _AUDIT, cluster) if isinstance(value, PromptAudit) else iter(())


def _problems(value: K, table: tuple[Unserved[K], ...], cluster: bool) -> Iterator[Problem]:
    namespace = value.metadata.namespace or "default"
    return (
        Problem(
            entry.severity, value.kind, value.metadata.name, entry.field, REASON, entry.message, namespace=namespace
        )
        for entry in table
        if entry.where in ("both", "cluster" if cluster else "laptop") and entry.given(value)
    )
