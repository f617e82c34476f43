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


_ROUTE: tuple[Unserved[ModelRoute], ...] = (
    Unserved(
        "spec.limits",
        "error",
        "limits are not enforced by this release, so requests and cost would have no bound; take them out to go on so",
        lambda route: route.spec.limits,
    ),
    Unserved(
        "spec.prompt.onExceed",
        "error",
        "this release does not reject prompts over budget; write Warn, or take it out",
        lambda route: route.spec.prompt and route.spec.prompt.on_exceed == "Reject",
    ),
    Unserved(
        "spec.prompt",
        "warning",
        "prompt budgets and rewrites are not applied by this release: prompts go as they come",
        lambda route: route.spec.prompt and route.spec.prompt.on_exceed == "Warn",
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


def _paraphrases(policy: CachePolicy) -> bool:
    paraphrase = policy.spec.reuse.paraphrase
    return paraphrase is not None and paraphrase.similarity is not None


_POLICY: tuple[Unserved[CachePolicy], ...] = (
    Unserved(
        "spec.reuse.label",
        "warning",
        "this release does not transfer labels: such asks go to a model",
        lambda policy: policy.spec.reuse.label,
    ),
    Unserved(
        "spec.reuse.template",
        "warning",
        "this release does not learn document layouts: such asks go to a model",
        lambda policy: policy.spec.reuse.template,
    ),
    Unserved(
        "spec.reuse.maxFalsePerHit",
        "error",
        "this release does not hold paraphrases to a bound of error; take it out to reuse by similarity alone, "
        "or take paraphrase.similarity out",
        lambda policy: policy.spec.reuse.max_false_per_hit is not None and _paraphrases(policy),
    ),
    Unserved(
        "spec.reuse.maxFalsePerHit",
        "warning",
        "nothing in this policy can reuse a wrong answer, so the bound changes nothing",
        lambda policy: policy.spec.reuse.max_false_per_hit is not None and not _paraphrases(policy),
    ),
    Unserved(
        "spec.reuse.paraphrase",
        "warning",
        'paraphrases are reused only at a similarity that you name; add similarity: "0.94"',
        lambda policy: policy.spec.reuse.paraphrase and not _paraphrases(policy),
    ),
    Unserved(
        "spec.shadow",
        "warning",
        "this release does not ask hits again: their error is not measured",
        lambda policy: policy.spec.shadow,
    ),
    Unserved(
        "spec.embedding",
        "error",
        "this release has builtin: MiniLM alone, and a similarity that suits one model means nothing for another",
        lambda policy: policy.spec.embedding.builtin is None and _paraphrases(policy),
    ),
    Unserved(
        "spec.embedding",
        "warning",
        "this release has builtin: MiniLM alone; this policy does not compare wordings, so it changes nothing",
        lambda policy: policy.spec.embedding.builtin is None and not _paraphrases(policy),
    ),
    Unserved(
        "spec.store",
        "error",
        "this release keeps entries in the gateway, in Qdrant or in Redis; write embedded, qdrant or redis",
        lambda policy: policy.spec.store.faiss or policy.spec.store.pinecone,
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
    ),
    Unserved(
        "spec.scaling",
        "warning",
        "this release runs one replica, always",
        lambda model: (model.spec.scaling.min, model.spec.scaling.max, model.spec.scaling.mode) != (1, 1, "Managed"),
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
        "spec.egress.proxy",
        "error",
        "this release connects without a proxy, which would go round yours; take it out to go on so",
        lambda gateway: gateway.spec.egress.proxy,
    ),
    Unserved(
        "spec.egress.caBundle",
        "warning",
        "this release trusts the system's certificates alone: upstreams with others are refused",
        lambda gateway: gateway.spec.egress.ca_bundle,
    ),
    Unserved(
        "spec.expose.tls",
        "error",
        "this release speaks plain HTTP; put a proxy before it that speaks TLS, and take it out",
        lambda gateway: gateway.spec.expose.tls,
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
        "spec.state",
        "warning",
        "this release runs the server, and its gateways still keep their counts to themselves",
        lambda gateway: gateway.spec.state,
        where="cluster",
    ),
    Unserved(
        "spec.workers",
        "warning",
        "in a cluster this release runs one process a gateway; raise replicas instead",
        lambda gateway: gateway.spec.workers != 1,
        where="cluster",
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
    Unserved("spec", "warning", "checked, and not run by this release: it serves no batches", lambda _: True),
)
_AUDIT: tuple[Unserved[PromptAudit], ...] = (
    Unserved("spec", "warning", "checked, and not run by this release: it audits no prompts", lambda _: True),
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
