"""The health port says how the process is, and what it counts."""

import httpx

from doubles.running import PATIENCE
from sluice_operator import health
from sluice_operator.cluster_error import ClusterError
from sluice_operator.metrics import Metrics
from sluice_operator.plan.plan import Ref
from sluice_operator.sources import MADE


async def test_probes_answer_why_not() -> None:
    why = {"alive": "", "ready": "not yet"}
    app = health.application(lambda: why["alive"], lambda: why["ready"], lambda: b"x 1\n")
    async with (
        health.serving(app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as client,
    ):
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
        assert (alive.status_code, alive.text) == (200, "ok\n")
        assert (ready.status_code, ready.text) == (503, "not yet\n")
        why |= {"alive": "dead", "ready": ""}
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/readyz")).status_code == 200
        page = await client.get("/metrics")
        assert (page.text, page.headers["content-type"]) == ("x 1\n", health.METRICS)


def test_metrics_count_what_happens() -> None:
    metrics = Metrics()
    ref = Ref("v1", "ConfigMap", "team", "m")
    metrics.wrote("apply", ref)
    metrics.failed("delete", ClusterError(ref, "Forbidden", "no", code=403))
    metrics.reconciled(0.02, success=True)
    metrics.restarted(MADE[1])
    metrics.missed(MADE[0], 3)
    metrics.leader.set(1)
    page = metrics.page().decode()
    for line in (
        'sluice_operator_writes_total{kind="ConfigMap",verb="apply"} 1.0',
        'sluice_operator_write_failures_total{kind="ConfigMap",reason="Forbidden",verb="delete"} 1.0',
        'sluice_operator_reconcile_seconds_count{result="success"} 1.0',
        'sluice_operator_reconcile_seconds_count{result="error"} 0.0',
        'sluice_operator_watch_restarts_total{resource="deployments.apps"} 1.0',
        'sluice_operator_watch_missed_total{resource="configmaps"} 3.0',
        "sluice_operator_leader 1.0",
        "sluice_operator_queue_depth 0.0",
    ):
        assert f"{line}\n" in page
