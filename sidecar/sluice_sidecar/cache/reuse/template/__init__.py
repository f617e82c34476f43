"""Template: a document's own values, read as earlier documents of its layout were, without asking a model."""

from sluice_sidecar.cache.reuse.template.answer import parse, serialise
from sluice_sidecar.cache.reuse.template.induction import induce
from sluice_sidecar.cache.reuse.template.signature import SIBLINGS, signature
from sluice_sidecar.cache.reuse.template.wrapper import Evidence, Extraction, Pair, Refusal, Wrapper

__all__ = [
    "SIBLINGS", "Evidence", "Extraction", "Pair", "Refusal", "Wrapper", "induce", "parse", "serialise", "signature",
]  # fmt: skip
