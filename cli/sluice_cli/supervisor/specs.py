"""What a QuantisedModel asks of this machine: the process that serves it here, or why there is none."""

from sluice_cli.model_sources import Source
from sluice_cli.supervisor.model import ModelSpec
from sluice_operator.kinds.quantised_model import QuantisedModelSpec
from sluice_operator.kinds.quantity import cpu_cores

CONTEXT = 2048
"""Tokens of each sequence where the model does not say: what a laptop has memory for, not what the model could."""

SLOTS = 4
"""Sequences at one time where the model does not say."""


class Elsewhere(Exception):  # noqa: N818  (not wrong, only not for this machine)
    """A model that does not run here, and why."""


def model_spec(name: str, spec: QuantisedModelSpec) -> ModelSpec:
    """The process for a model. Raises Elsewhere where only a cluster can run it."""
    if spec.engine != "LlamaCpp":
        raise Elsewhere(f"engine {spec.engine} needs a cluster with a GPU; on one machine Sluice runs LlamaCpp")
    source, inference = spec.source, spec.inference
    draft = inference.speculative.draft if inference.speculative is not None else None
    if draft is not None and draft.ngram is None:
        raise Elsewhere("a draft model needs a cluster; on one machine: speculative.draft.ngram")
    if source.package is not None:
        where = Source("package", source.package.name, source.package.file)
    elif source.host_path is not None:
        where = Source("path", source.host_path.path)
    else:
        raise Elsewhere("its source needs a cluster; on one machine: source.package or source.hostPath")
    return ModelSpec(
        name=name,
        source=where,
        method=spec.quantisation.method,
        context=inference.context_length or CONTEXT,
        slots=inference.max_sequences or SLOTS,
        threads=_threads(spec.hardware.cpu),
        kv_cache={"auto": "f16", "fp8": "q8_0"}.get(spec.quantisation.kv_cache, spec.quantisation.kv_cache),
        prefix_cache=inference.prefix_caching,
        ngram=(draft.ngram or 0) if draft is not None else 0,
        draft=inference.speculative.tokens if inference.speculative is not None else 5,
    )


def _threads(cpu: str | None) -> int:
    """Whole processors, at least one; 0, all of them, where nothing is said."""
    if cpu is None:
        return 0
    return max(1, int(cpu_cores(cpu)))
