"""Several workers and one Faiss store: worker 0 has it, the others ask it; a change of egress does not reopen it."""

from pathlib import Path

import pytest

from doubles.records import NOW, record
from doubles.running import until
from doubles.serve import config, policy
from sluice_sidecar.config import Config, Egress, FaissStore
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.storage import Storage
from sluice_sidecar.upstream.guard import Guard

FAISS = FaissStore()


def storage(data: Path, worker: int = 0, workers: int = 1) -> Storage:
    options = GatewayOptions(credentials=Credentials({}), data=data, worker=worker, workers=workers)
    return Storage(options, purged=lambda *_: None, counts=dict)


def served(**gateway: object) -> Config:
    return config(policies=[policy(store=FAISS)], **gateway)


async def test_what_one_worker_puts_the_other_gets(tmp_path: Path) -> None:
    owner, other = (
        storage(tmp_path, worker, 2).shared(served(), Guard())[FAISS] for worker in (0, 1)
    )  # fmt: skip
    await owner.open()
    await other.open()
    await until(lambda: other.stats().get("state") == "open", "worker 0 is reached")
    assert await other.put(record(1), 10)
    assert await owner.get(record(1).key, NOW) == record(1).data
    await owner.put(record(2), 10)
    assert await other.get(record(2).key, NOW) == record(2).data
    assert await other.purge(None, None, None) == 2
    await other.close()
    await owner.close()


async def test_it_stays_open_when_egress_changes(tmp_path: Path) -> None:
    kept = storage(tmp_path)
    first = kept.shared(served(), Guard())[FAISS]
    again = kept.shared(served(egress=Egress(allow=("10.0.0.0/8",))), Guard())[FAISS]
    assert again is first


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_gateway_without_a_data_folder_says_so(workers: int) -> None:
    options = GatewayOptions(credentials=Credentials({}), data=None, workers=workers)
    store = Storage(options, purged=lambda *_: None, counts=dict).shared(served(), Guard())[FAISS]
    await store.open()
    assert "no data folder" in str(store.stats()["reason"])
    await store.close()
