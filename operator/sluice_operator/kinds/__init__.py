"""The six kinds that users write: each model is its CRD's source and its documentation."""

from sluice_operator.kinds.batch_window import BatchWindow
from sluice_operator.kinds.cache_policy import CachePolicy
from sluice_operator.kinds.metadata import API_VERSION, GROUP, VERSION, Kind
from sluice_operator.kinds.model_route import ModelRoute
from sluice_operator.kinds.prompt_audit import PromptAudit
from sluice_operator.kinds.quantised_model import QuantisedModel
from sluice_operator.kinds.sluice_gateway import SluiceGateway

KINDS: dict[str, type[Kind]] = {
    kind.__name__: kind for kind in (ModelRoute, CachePolicy, QuantisedModel, BatchWindow, PromptAudit, SluiceGateway)
}
"""Kinds by name, in the order in which a reader meets them."""

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "BatchWindow",
    "CachePolicy",
    "Kind",
    "ModelRoute",
    "PromptAudit",
    "QuantisedModel",
    "SluiceGateway",
]
