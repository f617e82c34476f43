"""What each strategy believes before any evidence: which of its features speak for an answer, and how strongly.

Means are rounded weights of a logistic regression on banking77, clinc150 and nlu_home (CC BY), fitted by
`python -m bench.reuse.fit`. Precisions are low: a few hundred labels of the user's own outweigh them.
"""

from collections.abc import Mapping
from typing import Final

from sluice_sidecar.cache.entry import How
from sluice_sidecar.cache.reuse.label import Label
from sluice_sidecar.cache.reuse.paraphrase import Paraphrase
from sluice_sidecar.cache.risk.model import Prior

_VOTE: Final = {
    "nearest": (2.3, 1), "share": (1.0, 1), "margin": (0.8, 1), "count": (2.0, 0), "mean": (-1.0, 0),
    "last": (-0.5, 0), "groups": (-0.6, 0), "neighbours": (2.1, 0), "length": (0.2, 0), "record": (0.2, 1),
    "rival": (0.3, 1),
}  # fmt: skip
_HINTS: Final = {
    "question": (-0.3, -1), "modality": (-0.5, -1), "tense": (-0.5, -1), "edit": (-0.5, -1),
}  # fmt: skip
_WORDS: Final = {
    "alike": (0.3, 1), "instead": (-0.3, -1), "surplus": (-0.4, -1), "verbatim": (0.4, 0), "replaced": (-0.5, -1),
    "moved": (-0.1, -1), "speaker": (-0.1, -1), "extent": (-0.1, -1),
}  # fmt: skip

NOTHING: Final = (0.0, 0)
"""A feature that was not fitted: its weight is learned from nothing, either way."""


def _prior(features: tuple[str, ...]) -> Prior:
    known = {**_VOTE, **_HINTS, **_WORDS}
    return Prior(
        mean=(-0.8, *(known.get(name, NOTHING)[0] for name in features)),
        precision=(0.5, *(0.5 for _ in features)),
        signs=(0, *(known.get(name, NOTHING)[1] for name in features)),
    )


_TEMPLATE: Final = Prior(mean=(4.0, 0.5, 0.5, 0.0, 1.0), precision=(0.5, 0.5, 0.5, 0.5, 0.5), signs=(0, 1, 1, 0, 1))

PRIORS: Final[Mapping[How, Prior]] = {
    "label": _prior(Label.FEATURES),
    "paraphrase": _prior(Paraphrase.FEATURES),
    "template": _TEMPLATE,
}
