"""Two gateways on one Redis and one folder: what one takes in, both run, and each request has one result."""

import asyncio
from pathlib import Path

import orjson

from doubles.batching import batch, jsonl, line, until
from doubles.redis_server import RunningRedis
from sluice_sidecar.batch.execute import Outcome
from sluice_sidecar.batch.gate import Always, Pool
from sluice_sidecar.batch.lifecycle import Lifecycle
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch, File, Result, Task
from sluice_sidecar.batch.stores.redis import RedisStore
from sluice_sidecar.batch.stores.redis_link import Server
from sluice_sidecar.batch.worker import Worker

POOL = Pool("", frozenset(), Always(), 4, 86_400.0, "RunAnyway")


class Process:
    """One gateway's worker and lifecycle."""

    def __init__(self, folder: Path, server: RunningRedis) -> None:
        async def where() -> Server:
            return "127.0.0.1", server.port, None, None

        self.ran: list[int] = []
        folder.mkdir(exist_ok=True)
        self.store = RedisStore("sluice:worked:", where)
        self.queue = Queue(folder, store=self.store)
        self.worker = Worker(self.queue, self.run, lambda: [POOL], lambda: 0, alone=False)
        self.lifecycle = Lifecycle(self.queue, lambda model, _: model)

    async def run(self, task: Task) -> Outcome:
        self.ran.append(task.id)
        await asyncio.sleep(0)
        return Outcome(Result(200, "r", b'{"said":%d}' % (task.id & 0xFFFFF)))

    async def start(self) -> None:
        await self.queue.open()
        await self.worker.start()
        self.lifecycle.start()

    async def stop(self) -> None:
        await self.lifecycle.stop()
        await self.worker.stop()
        await self.queue.close()
        await self.store.close()


async def submitted(queue: Queue, count: int) -> Batch:
    content = jsonl(line(f"c{at}") for at in range(count))
    queue.coming("file-1").write_bytes(content)
    now = queue.clock()
    await queue.keep_file(File("file-1", "default", "batch", "f.jsonl", len(content), now, now + 1e6))
    return await queue.store.add_batch(batch(created=now, expires=now + 1e6))


async def test_both_run_a_batch_and_each_request_has_one_result(tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server:
        both = [Process(tmp_path / "shared", server) for _ in range(2)]
        for process in both:
            await process.start()
        queue = both[0].queue
        made = await submitted(queue, 300)

        async def found() -> Batch | None:
            return await queue.store.by_seq(made.seq)

        ended = await until(found, lambda one: one is not None and one.ended is not None)
        assert ended is not None
        assert (ended.status, ended.completed, ended.errors) == ("completed", 300, None)

        async def files() -> set[str]:
            return {file.name for file in (tmp_path / "shared/files").iterdir()}

        # Who ended it second takes its own files away.
        await until(files, lambda names: names == {"file-1", ended.output})
        for process in both:
            await process.stop()
        assert ended.output is not None
        answers = [orjson.loads(one) for one in queue.path(ended.output).read_bytes().splitlines()]
        assert [one["custom_id"] for one in answers] == [f"c{at}" for at in range(300)]
        assert [one["response"]["body"]["said"] for one in answers] == list(range(300))
        assert all(process.ran for process in both)


async def test_while_redis_is_away_a_worker_waits_and_then_goes_on(tmp_path: Path) -> None:
    async with RunningRedis(tmp_path / "redis", "--appendfsync", "always") as server:
        process = Process(tmp_path / "shared", server)
        await process.queue.open()
        made = await submitted(process.queue, 20)
        server.kill()
        await process.worker.start()
        process.lifecycle.start()
        await server.start()

        async def found() -> Batch | None:
            return await process.queue.store.by_seq(made.seq)

        ended = await until(found, lambda one: one is not None and one.ended is not None)
        assert ended is not None
        assert ended.completed == 20
        await process.stop()
