"""What tidies up while a message batch is taken in leaves its requests alone, and takes them once it has ended."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.batching import until
from doubles.behaviours import text
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.batch.records import Batch
from sluice_sidecar.batch.stores.sqlite import SqliteStore
from sluice_sidecar.batch.stores.store import Idempotency

PATH = "/v1/messages/batches"
ASK = {"model": "auto", "max_tokens": 8, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(text("Bonjour"))
        async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
            yield gateway


async def test_tidying_up_meanwhile_takes_nothing_that_is_needed(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "batch" / "files"
    add = SqliteStore.add_batch

    async def tidied(store: SqliteStore, batch: Batch, once: Idempotency | None = None) -> Batch:
        for id_ in await store.forget(batch.created, 1e6):
            (files / id_).unlink()
        return await add(store, batch, once)

    monkeypatch.setattr(SqliteStore, "add_batch", tidied)
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as client:
        wanted: dict[str, Any] = {"requests": [{"custom_id": "a", "params": ASK}]}
        headers = {"idempotency-key": "one"}
        made = [(await client.post(PATH, json=wanted, headers=headers)).json()["id"] for _ in range(2)]
        assert made[0] == made[1]

        async def look() -> dict[str, Any]:
            found: dict[str, Any] = (await client.get(f"{PATH}/{made[0]}")).json()
            return found

        ended = await until(look, lambda found: found["processing_status"] == "ended")
        assert ended["request_counts"]["succeeded"] == 1
        results = await client.get(f"{PATH}/{made[0]}/results")
        assert b"Bonjour" in results.content
        kept = (await client.get("/v1/files")).json()["data"]
        assert [one["purpose"] for one in kept] == ["batch_output"]
