"""One look at a namespace against a real API server, without any watch: what was written is known at once."""

import secrets
from typing import Any

from doubles.kube import Api
from sluice_operator import names
from sluice_operator.cluster import KubeCluster
from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import Verb
from sluice_operator.installation import Installation
from sluice_operator.kinds import API_VERSION
from sluice_operator.mirror import Mirror
from sluice_operator.observe import observe
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.reconcile import Reconcile
from sluice_operator.relist import Relist
from sluice_operator.remembering import Remembering
from sluice_operator.reports import Reports
from sluice_operator.sources import sources

ROUTE = """\
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {name: house}
spec:
  models: [auto]
  backends:
  - name: house
    openAI: {model: gpt-4.1, apiKey: {secret: openai, key: token}}
"""


class Writes:
    """What was written, in order."""

    def __init__(self) -> None:
        self.done: list[tuple[Verb, str]] = []
        self.looks: list[bool] = []

    def wrote(self, verb: Verb, ref: Ref) -> None:
        self.done.append((verb, f"{ref.kind}/{ref.name}"))

    def failed(self, verb: Verb, error: ClusterError) -> None:
        raise AssertionError(f"{verb}: {error}")

    def reconciled(self, seconds: float, *, success: bool) -> None:
        self.looks.append(success)


async def test_a_look_before_any_watch_told_of_the_writes_writes_nothing(api: Api, namespace: str) -> None:
    api.kubectl("create", "secret", "generic", "openai", "--from-literal=token=sk-1", "-n", namespace)
    api.kubectl("label", "secret", "openai", f"{names.CREDENTIAL}=true", "-n", namespace)
    api.kubectl("apply", "-n", namespace, "-f", "-", given=ROUTE)
    mirror, reports, writes = Mirror(), Reports(lambda _: None), Writes()
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:

        async def look(of: str) -> Seen:
            fresh = secrets.token_hex(32)
            return await observe(mirror, reports, {}, Installation(), of, cluster, fresh)

        assert await Relist(mirror, cluster, sources(gateway_api=False), (namespace,), lambda _: None).once()
        reconcile = Reconcile(look, Remembering(cluster, mirror), writes)
        await reconcile(namespace)
        first = list(writes.done)
        assert ("apply", "Secret/sluice-credentials") in first
        assert ("apply", "Deployment/sluice-gateway") in first
        assert {verb for verb, _ in first} == {"apply"}, "statuses wait until gateways could tell what came of it"
        await reconcile(namespace)
        second = writes.done[len(first) :]
        assert ("status", "ModelRoute/house") in second
        assert {verb for verb, _ in second} <= {"status", "event"}
        first += second
        await reconcile(namespace)
        assert writes.done == first

        # The last route goes, and with it all that was made for it.
        api.kubectl("delete", "modelroute", "house", "-n", namespace)
        route = mirror.get(Ref(API_VERSION, "ModelRoute", namespace, "house"))
        assert route is not None
        mirror.update("DELETED", route)
        await reconcile(namespace)
        await reconcile(namespace)
    assert len(writes.done) == len(first) + sum(verb == "delete" for verb, _ in writes.done)
    assert writes.looks == [True] * 5
    kinds = "deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,pdb,networkpolicies"
    listed: dict[str, Any] = api.get(kinds, "-n", namespace, "-l", f"{names.MANAGED_BY}={names.MANAGED}")
    assert listed["items"] == []
    api.kubectl("get", "secret", "openai", "-n", namespace)  # the user's own stays
