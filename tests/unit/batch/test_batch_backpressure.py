"""Nothing is taken in that cannot be kept: a clear 429 comes first."""

from functools import partial
from pathlib import Path

import pytest

from doubles.batching import batch, entries, opened
from sluice_sidecar.ask import Problem
from sluice_sidecar.batch import store
from sluice_sidecar.batch.queue import Limits


async def test_a_full_queue_is_told_by_whose_it_is(tmp_path: Path) -> None:
    queue = await opened(tmp_path, limits=Limits(requests=5, tenant_requests=3))
    try:
        for tenant, count in (("anna", 3), ("bert", 2)):
            made = await queue.do(partial(store.add_batch, batch=batch(tenant, tenant)))
            await queue.put(made, entries(count))
        for tenant, said in (("anna", "3 requests of yours wait"), ("cora", "5 requests wait")):
            with pytest.raises(Problem, match=said) as refused:
                await queue.check_backlog(tenant)
            assert (refused.value.status, refused.value.code) == (429, "queue_full")
            assert refused.value.retry_after
    finally:
        await queue.close()


async def test_a_disk_that_would_be_too_full_takes_nothing(tmp_path: Path) -> None:
    queue = await opened(tmp_path, limits=Limits(spare_bytes=1 << 62))
    try:
        with pytest.raises(Problem) as refused:
            queue.check_room(1)
        assert (refused.value.status, refused.value.code) == (429, "storage_full")
    finally:
        await queue.close()


async def test_a_disk_that_is_full_in_the_midst_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    queue = await opened(tmp_path)
    try:
        first = await queue.do(partial(store.add_batch, batch=batch("first")))
        pages = await queue.do(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await queue.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages}"))
        much = batch("next", note={"much": "x" * 1_000_000})
        with pytest.raises(Problem) as refused:
            await queue.do(partial(store.add_batch, batch=much))
        assert (refused.value.status, refused.value.code) == (429, "storage_full")
        await queue.do(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
        again = await queue.do(partial(store.add_batch, batch=batch("again")))
        assert again.seq > first.seq
        assert await queue.read(partial(store.batch, tenant="default", kind="openai", id_="first")) == first
    finally:
        await queue.close()


async def test_what_is_past_its_time_is_forgotten(tmp_path: Path) -> None:
    queue = await opened(tmp_path)
    try:
        made = await queue.do(partial(store.add_batch, batch=batch()))
        await queue.put(made, entries(2))
        await queue.do(partial(store.end, batch=made, output=None, errors=None, now=2_000.0))
        assert await queue.do(partial(store.forget, now=2_500.0, kept=1_000.0)) == []
        assert await queue.read(partial(store.by_seq, seq=made.seq)) is not None
        await queue.do(partial(store.forget, now=3_500.0, kept=1_000.0))
        assert await queue.read(partial(store.by_seq, seq=made.seq)) is None
    finally:
        await queue.close()
