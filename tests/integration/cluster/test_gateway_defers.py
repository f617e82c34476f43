"""Deferred requests in a cluster: the shared gateway takes them in, a worker runs them, sidecars pass them on."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from doubles.batching import jsonl, line, until
from doubles.behaviours import stall, text
from doubles.kube import Api
from doubles.pods import Pod, mounts, pod, published, routed
from doubles.redis_server import RunningRedis
from doubles.running import ASK, PATIENCE
from doubles.scripted import Scripted
from sluice_sidecar.config import BatchWindow, Config, Gateway, RedisServer, Window

COUNT = 60
ALWAYS = BatchWindow(
    name="night",
    windows=(Window(days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), start="00:00", end="00:00"),),
    routes=("house",),
    concurrency=8,
)
LEASED_SHORTLY = "import sluice_sidecar.batch.worker as w; w.LEASE = 2.0; import sluice_sidecar.main as m; m.main()"
"""A worker whose leases end soon after it was killed."""


def deferring(up: Scripted, server: RunningRedis | None) -> Config:
    """One route with a window that is always open, and the queue's server."""
    state = None if server is None else RedisServer(address=server.address, prefix="t:", managed=True)
    found = routed(up.url)
    return found.model_copy(update={"windows": {"night": ALWAYS}, "gateway": Gateway(state=state)}).sealed()


@dataclass
class Running:
    """A namespace's gateways. `worker` starts one more of the role that runs what waits."""

    api: Api
    namespace: str
    run: Path
    config: Config
    shared: Pod
    stack: AsyncExitStack

    async def worker(self) -> Pod:
        program = ("-c", LEASED_SHORTLY)
        found = await self.started("batch", program=program, ready=False)
        async with httpx.AsyncClient(trust_env=False) as probe:

            async def started() -> int:
                try:
                    return (await probe.get(found.admin + "/startz")).status_code
                except httpx.TransportError:
                    assert found.process.returncode is None, found.said
                    return 0

            await until(started, lambda status: status == 200)
        await found.serves(self.config)
        return found

    async def sidecar(self) -> Pod:
        found = await self.started("sidecar", "--relay", self.shared.url)
        await found.serves(self.config)
        return found

    async def started(self, role: str, *more: str, **how: Any) -> Pod:
        return await self.stack.enter_async_context(pod(self.run, self.namespace, self.api.server, role, *more, **how))


@asynccontextmanager
async def gateways(api: Api, namespace: str, folder: Path, config: Config) -> AsyncIterator[Running]:
    """The shared gateway of a namespace, with its volume."""
    run = mounts(api, namespace, folder)
    (run / "files").mkdir()
    api.apply(published(namespace, config))
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(pod(run, namespace, api.server))
        await shared.serves(config)
        yield Running(api, namespace, run, config, shared, stack)


def calling(at: Pod) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=at.url, trust_env=False, timeout=PATIENCE)


async def submitted(http: httpx.AsyncClient, count: int) -> str:
    """A batch of so many requests."""
    upload = jsonl(line(f"c{n}", f"ask {n}") for n in range(count))
    file = await http.post("/v1/files", files={"file": ("a.jsonl", upload)}, data={"purpose": "batch"})
    assert file.status_code == 200, file.text
    wanted = {"input_file_id": file.json()["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = await http.post("/v1/batches", json=wanted)
    assert batch.status_code == 200, batch.text
    return str(batch.json()["id"])


async def completed(http: httpx.AsyncClient, batch: str) -> list[dict[str, Any]]:
    """A batch's answers, once it is completed."""

    async def look() -> dict[str, Any]:
        found: dict[str, Any] = (await http.get(f"/v1/batches/{batch}")).json()
        return found

    found = await until(look, lambda said: said["status"] == "completed", PATIENCE)
    lines = (await http.get(f"/v1/files/{found['output_file_id']}/content")).content.splitlines()
    return [orjson.loads(one) for one in lines]


async def test_what_a_killed_worker_left_another_runs_and_each_request_has_one_answer(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        config = deferring(up, server)
        async with gateways(api, namespace, tmp_path / "run", config) as running, calling(running.shared) as http:
            batch = await submitted(http, COUNT)
            waiting = await http.post("/v1/chat/completions", json=ASK, headers={"prefer": "respond-async"})
            assert waiting.status_code == 202
            for _ in range(COUNT // 3):
                up.answer(text("before"))
            up.otherwise(stall())
            first = await running.worker()
            await up.arrived(COUNT // 3 + ALWAYS.concurrency)
            assert (await http.get(f"/v1/batches/{batch}")).json()["status"] == "in_progress"
            first.process.send_signal(signal.SIGKILL)
            await first.process.wait()
            up.otherwise(text("after"))
            await running.worker()
            answers = await completed(http, batch)
            assert [one["custom_id"] for one in answers] == [f"c{n}" for n in range(COUNT)]
            said = [one["response"]["body"]["choices"][0]["message"]["content"] for one in answers]
            assert set(said) == {"before", "after"}
            result = await http.get(waiting.headers["location"] + "/result", headers={"prefer": "wait=30"})
            assert result.status_code == 200, result.text
            decisions = (await running.shared.answers(http, "/-/decisions"))["decisions"]
            assert decisions == []  # it ran nothing itself


async def test_a_stopped_worker_finishes_what_runs_and_gives_nothing_away(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        config = deferring(up, server)
        async with gateways(api, namespace, tmp_path / "run", config) as running, calling(running.shared) as http:
            go_on = asyncio.Event()

            async def held(call: Any) -> None:
                await go_on.wait()
                await text("Hello")(call)

            up.otherwise(held)
            worker = await running.worker()
            batch = await submitted(http, ALWAYS.concurrency)
            await up.arrived(ALWAYS.concurrency)
            worker.process.send_signal(signal.SIGTERM)
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as probe:

                async def readiness() -> int:
                    return (await probe.get(worker.admin + "/readyz")).status_code

                await until(readiness, lambda status: status == 503)
            go_on.set()
            async with asyncio.timeout(PATIENCE):
                assert await worker.process.wait() == 0
            assert up.count == ALWAYS.concurrency
            await running.worker()  # writes the files, where the first had no time left for them
            answers = await completed(http, batch)
            assert len(answers) == ALWAYS.concurrency == up.count


async def test_a_sidecar_passes_all_of_it_on_as_its_own_tenant(api: Api, namespace: str, tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        up.otherwise(text("Hello"))
        config = deferring(up, server)
        async with gateways(api, namespace, tmp_path / "run", config) as running:
            await running.worker()
            sidecar = await running.sidecar()
            async with calling(sidecar) as app, calling(running.shared) as others:
                answers = await completed(app, await submitted(app, 3))
                assert [one["custom_id"] for one in answers] == ["c0", "c1", "c2"]
                waiting = await app.post("/v1/chat/completions", json=ASK, headers={"prefer": "respond-async"})
                assert waiting.status_code == 202
                at = waiting.headers["location"]
                result = await app.get(at + "/result", headers={"prefer": "wait=30"})
                assert result.json()["choices"][0]["message"]["content"] == "Hello"
                events = await app.get(at + "/events")
                assert "event: done" in events.text
                claude = {"model": "auto", "max_tokens": 5, "messages": ASK["messages"]}
                wanted = {"requests": [{"custom_id": "c0", "params": claude}]}
                assert (await app.post("/v1/messages/batches", json=wanted)).json()["type"] == "message_batch"
                assert len((await app.get("/v1/files?limit=10")).json()["data"]) >= 2
                assert (await others.get("/v1/files")).json()["data"] == []
                assert (await others.get(at)).status_code == 404
                unknown = await app.get("/v1/batches/batch_none")
                assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "batch_not_found")
                forged = await others.get("/-/deferred/v1/files", headers={"authorization": "Bearer a.b.c"})
                assert (forged.status_code, forged.json()["error"]["code"]) == (401, "invalid_token")
                elsewhere = await app.get("/-/deferred/v1/files")
                assert elsewhere.status_code == 404


async def test_a_sidecar_holds_no_large_file_in_memory(api: Api, namespace: str, tmp_path: Path) -> None:
    def peak(at: Pod) -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{at.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) >> 10

    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        config = deferring(up, server)
        async with gateways(api, namespace, tmp_path / "run", config) as running:
            sidecar = await running.sidecar()
            before = peak(sidecar)
            async with calling(sidecar) as app:
                upload = b"x" * (96 << 20)
                kept = await app.post("/v1/files", files={"file": ("a.jsonl", upload)}, data={"purpose": "batch"})
                assert kept.json()["bytes"] == len(upload)
                got = 0
                async with app.stream("GET", f"/v1/files/{kept.json()['id']}/content") as content:
                    async for piece in content.aiter_raw():
                        got += len(piece)
                assert got == len(upload)
            assert peak(sidecar) - before < 32


async def test_without_a_queue_or_volume_callers_are_told_what_to_do(api: Api, namespace: str, tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        up.otherwise(text("Hello"))
        bare = deferring(up, None)
        async with gateways(api, namespace, tmp_path / "run", bare) as running, calling(running.shared) as http:
            refused = await http.get("/v1/batches")
            assert refused.status_code == 503
            assert "state: {redis:" in refused.json()["error"]["message"]
            at_once = await http.post("/v1/chat/completions", json=ASK, headers={"prefer": "respond-async"})
            assert at_once.status_code == 200
            (tmp_path / "run" / "files").rmdir()
            whole = deferring(up, server)
            api.apply(published(namespace, whole))
            await running.shared.serves(whole)
            assert (await http.get("/v1/batches")).json()["data"] == []
            form = {"files": {"file": ("a.jsonl", b"{}")}, "data": {"purpose": "batch"}}
            lost = await http.post("/v1/files", **form)  # type: ignore[arg-type]
            assert (lost.status_code, lost.json()["error"]["code"]) == (503, "files_unavailable")
            (tmp_path / "run" / "files").mkdir()
            assert (await http.post("/v1/files", **form)).status_code == 200  # type: ignore[arg-type]


async def test_a_full_redis_is_told_before_anything_is_taken_in(api: Api, namespace: str, tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server, Scripted() as up:
        config = deferring(up, server)
        async with gateways(api, namespace, tmp_path / "run", config) as running, calling(running.shared) as http:
            await server.do("CONFIG", "SET", "maxmemory", "1mb")
            claude = {"requests": [{"custom_id": "c", "params": {**ASK, "max_tokens": 1}}]}
            for path, body in (("/v1/chat/completions", ASK), ("/v1/messages/batches", claude)):
                full = await http.post(path, json=body, headers={"prefer": "respond-async"})
                assert full.status_code == 429, full.text
                assert "has no room for more" in full.json()["error"]["message"]
                assert full.headers["retry-after"]


async def test_a_queue_that_moves_is_followed_and_one_that_is_away_is_told(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    wish = {"prefer": "respond-async"}
    async with (
        Scripted() as up,
        RunningRedis(tmp_path / "a", "--appendfsync", "always") as first,
        RunningRedis(tmp_path / "b", "--appendfsync", "always") as second,
    ):
        up.otherwise(text("Hello"))
        before, after = deferring(up, first), deferring(up, second)
        async with gateways(api, namespace, tmp_path / "run", before) as running, calling(running.shared) as http:
            kept = await http.post("/v1/chat/completions", json=ASK, headers=wish)
            first.kill()
            away = await http.post("/v1/chat/completions", json=ASK, headers=wish)
            assert (away.status_code, away.json()["error"]["code"]) == (503, "queue_unavailable")
            api.apply(published(namespace, after))
            await running.shared.serves(after)
            assert (await http.get(kept.headers["location"])).status_code == 404  # it lies in the other one
            moved = await http.post("/v1/chat/completions", json=ASK, headers=wish)
            assert (await http.get(moved.headers["location"])).json()["status"] == "queued"
            lost = await running.started("sidecar", "--relay", "http://127.0.0.1:9")
            await lost.serves(after)
            async with calling(lost) as app:
                alone = await app.post("/v1/chat/completions", json=ASK, headers=wish)
                assert (alone.status_code, alone.json()["error"]["code"]) == (503, "queue_unavailable")
                assert alone.headers["retry-after"]
                assert (await app.post("/v1/chat/completions", json=ASK)).status_code == 200
