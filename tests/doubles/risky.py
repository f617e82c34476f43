"""Labels for the risk control, and a controller that has opened."""

from sluice_sidecar.cache.risk import Controller, Label, RiskBound, Source

BOUND = RiskBound(0.015)


def label(
    wrong: bool = False, *, score: float = 0.999, partition: str = "acme", source: Source = Source.MISS,
    served: bool = False, probability: float = 1.0, noise: float = 0.0,
) -> Label:  # fmt: skip
    """A label without features."""
    return Label((), score, wrong, partition, source, served, probability, noise)


def served(wrong: bool = False, *, probability: float = 1.0, partition: str = "acme") -> Label:
    """The label of a hit that was asked again."""
    return label(wrong, served=True, source=Source.SHADOW, probability=probability, partition=partition)


def opened(bound: RiskBound = BOUND, labels: int = 1000, partition: str = "acme") -> Controller:
    """A controller that has seen so many right misses, and serves."""
    controller = Controller(bound)
    for _ in range(labels):
        controller.request()
        controller.learn(label(partition=partition))
    assert controller.decision.at is not None
    return controller
