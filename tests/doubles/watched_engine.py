"""An observer of the engine that keeps what it is told."""

from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import Verb
from sluice_operator.plan.plan import Ref


class Told:
    """See sluice_operator.engine.Observer."""

    def __init__(self) -> None:
        self.writes: list[tuple[Verb, str]] = []
        """(verb, the object's name)."""
        self.failures: list[tuple[Verb, str, str]] = []
        """(verb, the object's name, reason)."""

    def wrote(self, verb: Verb, ref: Ref) -> None:
        self.writes.append((verb, ref.name))

    def failed(self, verb: Verb, error: ClusterError) -> None:
        self.failures.append((verb, error.ref.name, error.reason))
