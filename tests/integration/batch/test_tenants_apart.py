"""What one tenant put into the queue is not there for another."""

from pathlib import Path

import httpx

from doubles.batching import jsonl, line
from doubles.behaviours import text
from doubles.scripted import Scripted
from doubles.serve import backend, config, route, serving


async def test_files_batches_and_requests_are_their_owners_alone(tmp_path: Path) -> None:
    async with Scripted() as up:
        up.otherwise(text())
        keys = {"SLUICE_SECRET_CALLERS_ANNA": "a-key", "SLUICE_SECRET_CALLERS_BERT": "b-key"}
        ready = config(route([backend(up.url)]), keys_secret="callers")
        async with (
            serving(ready, batches=tmp_path / "batch", environ=keys) as gateway,
            httpx.AsyncClient(base_url=gateway.url, headers={"x-api-key": "a-key"}) as anna,
            httpx.AsyncClient(base_url=gateway.url, headers={"x-api-key": "b-key"}) as bert,
        ):
            upload = {"files": {"file": ("a.jsonl", jsonl([line("a")]))}, "data": {"purpose": "batch"}}
            file = (await anna.post("/v1/files", **upload)).json()["id"]  # type: ignore[arg-type]
            wanted = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
            batch = (await anna.post("/v1/batches", json=wanted)).json()["id"]
            asked = line("a")["body"]
            place = (await anna.post("/v1/chat/completions", json=asked, headers={"prefer": "respond-async"})).headers[
                "location"
            ]
            for path in (f"/v1/files/{file}", f"/v1/files/{file}/content", f"/v1/batches/{batch}", place):
                assert (await anna.get(path)).status_code == 200
                assert (await bert.get(path)).status_code == 404
            assert (await bert.post("/v1/batches", json=wanted)).status_code == 404
            assert (await bert.post(f"/v1/batches/{batch}/cancel")).status_code == 404
            assert (await bert.get("/v1/files")).json()["data"] == (await bert.get("/v1/batches")).json()["data"] == []
            assert (await anna.get("/v1/batches", headers={"x-api-key": "c-key"})).status_code == 401
