"""An operator that can be started again and again: all of it but its watches, on a cluster in memory."""

from doubles.fake_cluster import FakeCluster
from doubles.planning import NAMESPACE, NOW
from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import Verb
from sluice_operator.installation import Installation
from sluice_operator.mirror import Mirror
from sluice_operator.observe import observe
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.reconcile import Reconcile
from sluice_operator.relist import Relist
from sluice_operator.remembering import Remembering
from sluice_operator.reports import Reports
from sluice_operator.sources import sources

INSTALLATION = Installation(report_url="https://sluice-operator-reports.sluice-system.svc:9443")
SOURCES = sources(gateway_api=False)
LOOKS = 4
"""Objects, then what is said of them, then nothing."""


class _Strict:
    """An observer to which nothing may fail."""

    def __init__(self) -> None:
        self.writes = 0

    def wrote(self, verb: Verb, ref: Ref) -> None:
        """See Observer."""
        self.writes += 1

    def failed(self, verb: Verb, error: ClusterError) -> None:
        """See Observer."""
        raise AssertionError(f"{verb}: {error}")

    def reconciled(self, seconds: float, *, success: bool) -> None:
        """See Counting."""


async def started(cluster: FakeCluster, fresh: str) -> None:
    """A new process: lists, then observes, plans and executes until there is nothing to write.

    `fresh` as in Seen. Raises Killed where it is killed, AssertionError where it never comes to rest.
    """
    mirror, reports, strict = Mirror(), Reports(lambda _: None, lambda: NOW), _Strict()
    assert await Relist(mirror, cluster, SOURCES, (NAMESPACE,), lambda _: None).once()

    async def look(namespace: str) -> Seen:
        return await observe(mirror, reports, {}, INSTALLATION, namespace, cluster, fresh)

    reconcile = Reconcile(look, Remembering(cluster, mirror), strict, lambda: NOW)
    for _ in range(LOOKS):
        before = strict.writes
        await reconcile(NAMESPACE)
        if strict.writes == before:
            return
    raise AssertionError(f"after {LOOKS} looks it still writes: {cluster.writes[-3:]}")
