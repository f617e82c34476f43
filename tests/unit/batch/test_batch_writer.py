"""The writer: what callers want together is committed together, and one's failure is not another's."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from sluice_sidecar.batch.schema import connect
from sluice_sidecar.batch.writer import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(connect(tmp_path / "queue.db"))
    yield made
    made.close()


def noted(key: str, *, bad: bool = False) -> Callable[[Connection], str]:
    def work(db: Connection) -> str:
        db.execute("INSERT INTO keys VALUES ('t', ?, x'00', 'id', 1.0)", (key,))
        if bad:
            raise ValueError(key)
        return key

    return work


async def test_a_failure_undoes_its_own_work_alone(writer: Writer) -> None:
    jobs = [writer.do(noted(str(n), bad=n % 3 == 0)) for n in range(9)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(one, ValueError) for one in results] == [n % 3 == 0 for n in range(9)]
    kept = await writer.do(lambda db: [row[0] for row in db.execute("SELECT key FROM keys ORDER BY key")])
    assert kept == ["1", "2", "4", "5", "7", "8"]


async def test_a_caller_who_leaves_does_no_harm(writer: Writer) -> None:
    left = asyncio.ensure_future(writer.do(noted("gone")))
    await asyncio.sleep(0)
    left.cancel()
    assert await writer.do(noted("stays")) == "stays"


async def test_what_returned_is_in_the_file(writer: Writer, tmp_path: Path) -> None:
    await writer.do(noted("k"))
    other = connect(tmp_path / "queue.db")
    assert other.execute("SELECT key FROM keys").fetchall() == [("k",)]
    other.close()
