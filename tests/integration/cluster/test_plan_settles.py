"""What the API server makes of a plan (defaults, quantities, dropped empties) is no drift: planning again is empty."""

import dataclasses

from doubles.kube import Api
from doubles.objects import gateway, managed, model, policy, provider, route, window
from doubles.planning import NOW, Data
from sluice_operator.installation import Installation
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import GatewayPod, Secret, Seen

KINDS = (
    "configmaps,secrets,deployments,statefulsets,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets,"
    "networkpolicies,persistentvolumeclaims"
)


def objects() -> list[Data]:
    store = {"redis": {"managed": {"storage": "1.5Gi"}}}
    state: Data = {"redis": {"managed": {}}}
    return [
        route("r", provider("o"), cachePolicy={"name": "p"}),
        route("s", managed("m"), cachePolicy={"name": "q"}),
        policy("p", store=store),
        policy("q", store={"qdrant": {"managed": {"replicas": 3}}}),
        model(hardware={"cpu": "0.5", "memory": "1024Mi"}),
        window(
            "s",
            files={"pvc": {"storage": "1.5Gi"}},
            capacity={"quantisedModel": {"name": "m"}, "replicas": 2},
            webhooks={"signingKey": {"secret": "keys", "key": "tenant"}, "allow": ["https://hooks.example.com"]},
        ),
        gateway(
            replicas=3,
            state=state,
            resources={"limits": {"cpu": "1500m", "memory": "2G"}},
            auth={"keys": {"secret": "keys"}},
        ),
    ]


def children(api: Api, namespace: str) -> dict[Ref, Data]:
    found = api.get(KINDS, "-n", namespace, "-l", "app.kubernetes.io/managed-by=sluice")["items"]
    return {Ref.of(manifest): manifest for manifest in found}


def test_what_the_server_made_of_a_plan_is_what_was_planned(api: Api, namespace: str) -> None:
    api.apply(*({**data, "metadata": {**data["metadata"], "namespace": namespace}} for data in objects()))
    kinds = "modelroutes,cachepolicies,quantisedmodels,sluicegateways,batchwindows"
    seen = Seen(
        namespace=namespace,
        installation=Installation(),
        objects=tuple(api.get(kinds, "-n", namespace)["items"]),
        secrets={s.name: s for s in (Secret("openai", {"token": "sk"}), Secret("keys", {"tenant": "k"}))},
        pods=(GatewayPod("app", "1", "sidecar", "app-account", running=True),),
        listening=3600.0,
        fresh="ab" * 32,
    )
    first = plan(seen, NOW)
    assert first.apply
    api.apply(*first.apply)
    there = dataclasses.replace(seen, children=children(api, namespace), fresh="cd" * 32)
    again = plan(there, NOW)
    assert ([str(Ref.of(manifest)) for manifest in again.apply], again.delete) == ([], ())
    # and nothing of it outlives the objects, but the volume
    gone = plan(dataclasses.replace(there, objects=()), NOW)
    assert set(gone.delete) == {ref for ref in there.children if ref.kind != "PersistentVolumeClaim"}
