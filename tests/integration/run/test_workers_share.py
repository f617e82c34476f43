"""Several gateway processes behave as one: one cache, one count, one purge."""

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from doubles import behaviours as do
from doubles.running import ASK, PATIENCE, Sluice, route, running
from doubles.scripted import Scripted

POLICY = """\
apiVersion: sluice.dev/v1alpha1
kind: CachePolicy
metadata: {name: keep}
spec: {workload: Classification}
---
"""


async def asks(sluice: Sluice, count: int) -> list[str]:
    """How the cache took part in this many asks, each on a connection of its own: any worker may take it."""
    found = []
    for _ in range(count):
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            answer = await client.post(sluice.url + "/v1/chat/completions", json=ASK)
        assert answer.status_code == 200
        found.append(answer.headers["x-sluice-cache"])
    return found


async def counted(sluice: Sluice) -> float:
    """Requests in the metrics, all workers together."""
    text = (await sluice.client.get(sluice.admin + "/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return sum(sample.value for sample in families["sluice_requests"].samples if sample.name.endswith("_total"))


async def test_three_workers_share_cache_counts_and_purge(tmp_path: Path) -> None:
    async with Scripted() as up:
        up.otherwise(do.text("A gate for water."))
        (tmp_path / "kinds.yaml").write_text(
            POLICY + route(up.url).replace("  backends:", "  cachePolicy: {name: keep}\n  backends:")
        )
        async with running(tmp_path, "--workers", "3") as sluice:
            assert len(sluice.children("sluice_sidecar.main")) == 3
            found = await asks(sluice, 30)
            # An answer is stored behind its answer, so a worker may ask once for itself, and no more.
            assert found[0] == "miss"
            assert found.count("miss") == up.count <= 3
            assert set(found[10:]) == {"identical"}
            while (total := await counted(sluice)) != 30:
                assert total < 30
            purged = await sluice.client.post(sluice.admin + "/-/purge", json={"policy": "keep"})
            assert purged.json()["purged"] == 1
            after = await asks(sluice, 12)
            assert after[0] == "miss"
            assert after.count("miss") <= 3
