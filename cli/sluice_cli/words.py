"""A Config's parts in words, for people: one line each."""

from sluice_cli.supervisor.specs import Elsewhere, model_spec
from sluice_operator.kinds import QuantisedModel
from sluice_operator.kinds.quantity import decimal_text, duration_text
from sluice_sidecar.config import Backend, Cascade, Gateway, Policy, Price, Single, Task, Weighted


def strategy_words(strategy: Single | Weighted | Task | Cascade) -> str:
    """How a route chooses."""
    if isinstance(strategy, Weighted):
        total = sum(strategy.weights.values())
        shares = (f"{100 * weight / total:.3g} % {name}" for name, weight in strategy.weights.items())
        return "weighted: " + ", ".join(shares)
    if isinstance(strategy, Task):
        classes = ", ".join(f"{task} to {backend}" for task, backend in strategy.backends.items())
        return f"by task: {classes}; all else to {strategy.default}"
    if isinstance(strategy, Cascade):
        return f"cascade: {', then '.join(strategy.stages)}; accepted with {_acceptance(strategy)}"
    return f"all to {strategy.backend}"


def _acceptance(cascade: Cascade) -> str:
    words = []
    if cascade.confidence:
        words.append(f"token confidence {cascade.confidence.threshold:g} at quantile {cascade.confidence.quantile:g}")
    names = {"jsonSchema": "JSON schema", "regex": "regex", "http": "HTTP check"}
    words += [names[check.type] for check in cascade.checks]
    return " and ".join(words)


def backend_words(backend: Backend) -> str:
    """What a backend is and costs."""
    if backend.managed:
        where = f"QuantisedModel {backend.managed}"
    else:
        where = f"{backend.url}" + (f" model {backend.model}" if backend.model else "")
    credential = backend.credential
    words = [where, f"dialect {' and '.join(backend.families)}"]
    if credential:
        words.append(f"key {credential.secret}/{credential.key}")
    if backend.price:
        words.append(price_words(backend.price))
    return ", ".join(words)


def price_words(price: Price) -> str:
    """Money per million tokens."""
    return f"{decimal_text(price.input)} in, {decimal_text(price.output)} out {price.currency} per million tokens"


def policy_words(policy: Policy) -> str:
    """What a policy reuses, and for whom."""
    bound = "" if policy.bound is None else f" with at most {100 * policy.bound:g} % wrong"
    words = ["identical asks"] if policy.identical else []
    if policy.paraphrase:
        least = policy.paraphrase.similarity
        words.append("paraphrases" + (f" from similarity {least:g}" if least else "") + bound)
    words += ["labels" + bound] if policy.label else []
    words += ["documents of a known layout" + bound] if policy.template else []
    reuse = " and ".join(words) or "nothing"
    whose = "within a tenant" if policy.partition == "Tenant" else "for all callers"
    if policy.partition_headers:
        whose += f" and equal {', '.join(policy.partition_headers)}"
    stale = policy.stale_while_revalidate
    return f"{reuse}, {whose}" + (f"; stale for {duration_text(stale)} more while asked again" if stale else "")


def model_words(name: str, model: QuantisedModel) -> str:
    """What runs a model, from where, and why not here if so."""
    source = model.spec.source
    where = (
        (source.package and f"package {source.package.name}")
        or (source.host_path and f"path {source.host_path.path}")
        or (source.hugging_face and f"Hugging Face {source.hugging_face.repo}")
        or (source.pvc and f"volume {source.pvc.claim}")
        or (source.image and f"image {source.image.reference}")
    )
    method = model.spec.quantisation.method
    words = f"{model.spec.engine} with {where}" + (f", {method}" if method != "None" else "")
    try:
        model_spec(name, model.spec)
    except Elsewhere as why:
        return f"{words}; not started by `sluice run`: {why}"
    return words


def gateway_words(gateway: Gateway) -> str:
    """Who may call."""
    if gateway.keys_secret:
        return f"need a key of Secret {gateway.keys_secret}; each key is a tenant"
    return "need no key: whoever reaches the gateway may call, as one tenant"
