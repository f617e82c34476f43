"""Statuses wait for one look after objects were written, and never for two."""

from doubles.fake_cluster import FakeCluster
from doubles.planning import NAMESPACE, NOW, Data, fresh, lived
from doubles.restarted import INSTALLATION, SOURCES
from sluice_operator import names
from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import Verb
from sluice_operator.kinds import API_VERSION
from sluice_operator.mirror import Mirror
from sluice_operator.observe import observe
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.reconcile import SETTLE, Reconcile
from sluice_operator.relist import Relist
from sluice_operator.remembering import Remembering
from sluice_operator.reports import Reports

CUSTOM = {"url": "http://up.example.com/v1", "dialect": "OpenAI", "model": "m"}
ROUTE: Data = {
    "apiVersion": API_VERSION,
    "kind": "ModelRoute",
    "metadata": {"name": "house"},
    "spec": {"backends": [{"name": "house", "custom": CUSTOM}]},
}


class Writes:
    """Which verbs were written since the last look at them."""

    def __init__(self) -> None:
        self._done: list[Verb] = []

    def wrote(self, verb: Verb, ref: Ref) -> None:
        self._done.append(verb)

    def failed(self, verb: Verb, error: ClusterError) -> None:
        raise AssertionError(f"{verb}: {error}")

    def reconciled(self, seconds: float, *, success: bool) -> None:
        assert success

    def taken(self) -> set[Verb]:
        done, self._done = set(self._done), []
        return done


async def test_a_status_waits_for_what_gateways_tell_but_not_twice() -> None:
    mirror, reports, writes = Mirror(), Reports(lambda _: None, lambda: NOW), Writes()
    cluster = FakeCluster(lived(ROUTE))
    assert await Relist(mirror, cluster, SOURCES, (NAMESPACE,), lambda _: None).once()

    async def look(namespace: str) -> Seen:
        return await observe(mirror, reports, {}, INSTALLATION, namespace, cluster, fresh(0))

    reconcile = Reconcile(look, Remembering(cluster, mirror), writes, lambda: NOW)
    assert await reconcile(NAMESPACE) == SETTLE
    assert writes.taken() == {"apply"}

    # Somebody takes away at once what was made.
    published = mirror.get(Ref("v1", "ConfigMap", NAMESPACE, names.CONFIG_MAP))
    assert published is not None
    mirror.update("DELETED", published)
    await reconcile(NAMESPACE)
    assert {"apply", "status"} <= writes.taken()
    await reconcile(NAMESPACE)
    assert not writes.taken()
