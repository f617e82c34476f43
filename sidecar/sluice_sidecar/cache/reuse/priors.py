"""What each strategy believes before any evidence: which of its features speak for an answer, and how strongly.

Means are rounded weights of a logistic regression on banking77, clinc150 and nlu_home (CC BY), the paraphrase's also on
near misses and rewordings made of clinc150 and of banking77's test part, fitted by `python -m bench.reuse.fit`.
Precisions are low: a few hundred labels of the user's own outweigh them.
"""

from collections.abc import Mapping
from typing import Final

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.reuse.label import Label
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase
from sluice_sidecar.cache.risk.model import Prior

_LABEL: Final = {
    "nearest": (0.7, 1), "share": (0.9, 1), "margin": (1.1, 1), "count": (1.8, 0), "mean": (0.3, 0),
    "last": (-1.0, 0), "groups": (-0.3, 0), "neighbours": (0.8, 0), "length": (0.1, 0), "record": (0.2, 1),
    "rival": (0.3, 1), "witnesses": (1.0, 1), "alone": (-1.4, -1),
}  # fmt: skip
_PARAPHRASE: Final = {
    "nearest": (0.0, 1), "share": (1.3, 1), "margin": (0.4, 1), "count": (0.9, 0), "mean": (1.1, 0), "last": (0.0, 0),
    "groups": (-0.5, 0), "neighbours": (2.0, 0), "length": (0.3, 0), "record": (0.3, 1), "rival": (0.2, 1),
    "question": (-0.4, -1), "wanted": (-1.0, -1), "modality": (0.0, -1), "tense": (0.0, -1), "edit": (-0.2, -1),
    "alike": (0.3, 1), "instead": (0.0, -1), "surplus": (-0.4, -1), "verbatim": (0.7, 0), "replaced": (-0.7, -1),
    "moved": (0.0, -1), "speaker": (-0.1, -1), "extent": (-0.1, -1),
    "ahead": (0.5, 1), "nearer": (0.0, -1), "inserted": (0.0, -1), "turned": (-0.4, -1), "exact": (2.1, 1),
}  # fmt: skip
"""Of each feature the mean and the sign that it can have; a fitted mean of the other sign is 0."""


def _prior(features: tuple[str, ...], start: float, known: Mapping[str, tuple[float, int]]) -> Prior:
    """`start`: the intercept; of each feature the mean and the sign that it can only have."""
    return Prior(
        mean=(start, *(known[name][0] for name in features)),
        precision=(0.5, *(0.5 for _ in features)),
        signs=(0, *(known[name][1] for name in features)),
    )


_TEMPLATE: Final = Prior(mean=(4.0, 0.5, 0.5, 0.0, 1.0), precision=(0.5, 0.5, 0.5, 0.5, 0.5), signs=(0, 1, 1, 0, 1))

PRIORS: Final[Mapping[How, Prior]] = {
    "label": _prior(Label.FEATURES, 0.0, _LABEL),
    "paraphrase": _prior(Paraphrase.FEATURES, 0.1, _PARAPHRASE),
    "template": _TEMPLATE,
}
