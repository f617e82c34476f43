"""The operator as a process: it works, survives the API server, shows its health, hands over and ends when told."""

import httpx

from doubles.kube import Api
from doubles.made import published
from doubles.operating import operating
from doubles.running import PATIENCE, until
from e2e.kubebox import cluster

ROUTE = """\
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {name: house}
spec:
  models: [MODEL]
  backends:
  - name: house
    custom: {url: "http://up.example.com/v1", dialect: OpenAI, model: upstream}
"""


def put(api: Api, namespace: str, model: str) -> None:
    api.kubectl("apply", "-n", namespace, "-f", "-", given=ROUTE.replace("MODEL", model))


async def test_it_publishes_repairs_and_is_quiet(api: Api, namespace: str) -> None:
    put(api, namespace, "before-the-start")
    async with operating(api, namespace) as operator:
        await until(lambda: "before-the-start" in published(api, namespace), "the route of before the start")
        put(api, namespace, "changed")
        await until(lambda: "changed" in published(api, namespace), "a change")
        api.kubectl("delete", "configmap", "sluice-config", "-n", namespace)
        await until(lambda: "changed" in published(api, namespace), "what someone deleted")
        async with httpx.AsyncClient(base_url=await operator.url(), trust_env=False, timeout=PATIENCE) as client:
            assert (await client.get("/healthz")).text == "ok\n"
            assert (await client.get("/readyz")).status_code == 200
        assert await operator.figure("sluice_operator_leader") == 1
        assert await operator.figure('sluice_operator_writes_total{kind="ConfigMap",verb="apply"}') >= 3
        assert await operator.stop() == 0
        assert "Traceback" not in operator.log
        assert "WARNING" not in operator.log


async def test_what_changes_while_the_api_server_is_away_is_caught_up_with(api: Api, namespace: str) -> None:
    put(api, namespace, "first")
    async with operating(api, namespace, "--leader-election", "false") as operator:
        await until(lambda: "first" in published(api, namespace), "the route")
        cluster.restart(api.layout, "kube-apiserver")
        put(api, namespace, "second")
        await until(lambda: "second" in published(api, namespace), "a change after the API server came back")
        assert await operator.stop() == 0


async def test_a_second_one_waits_and_takes_over_at_once(api: Api, namespace: str) -> None:
    put(api, namespace, "first")
    async with operating(api, namespace) as first:
        await first.leads()
        async with operating(api, namespace) as second:
            await second.logged("listed [0-9]+ objects")
            assert await second.figure("sluice_operator_leader") == 0
            assert await first.stop() == 0
            await second.leads()
            put(api, namespace, "second")
            await until(lambda: "second" in published(api, namespace), "the work of the second")
            assert await second.stop() == 0
