"""The operator makes and keeps collections in a managed Qdrant, and saves them before an upgrade (on the stand-in)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doubles.cached import Hands, axis
from doubles.qdrant_stand_in import Standing, standing_in
from doubles.records import NOW, record
from doubles.running import PATIENCE, until
from doubles.stores import qdrant_store
from sluice_operator.plan.plan import Duty, QdrantDuty
from sluice_operator.plan.seen import Snapshots
from sluice_operator.plan.store_secrets import qdrant_token
from sluice_operator.qdrant_admin import INDEXES
from sluice_operator.sections import collection_name, collection_prefix
from sluice_operator.store_admin import StoreAdmin
from sluice_operator.store_places import Places

KEY = "the-server-key"
NAME = collection_name("shop")
SERVICE = "sluice-qdrant.shop.svc:6333"
NODE = "sluice-qdrant-0.sluice-qdrant-headless.shop.svc:6333"
DUTY = QdrantDuty(f"http://{SERVICE}", (f"http://{NODE}",), KEY, (NAME,), collection_prefix("shop"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Standing]:
    async with standing_in(tmp_path, KEY) as one:
        yield one


class Working:
    """An administration that runs; `woken` names the namespaces whose findings changed."""

    def __init__(self, server: Standing, clock: Hands) -> None:
        self.woken: list[str] = []
        here = f"127.0.0.1:{server.port}"
        self.admin = StoreAdmin(self.woken.append, Places({SERVICE: here, NODE: here}), every=0.05, clock=clock)

    def want(self, *duties: Duty) -> None:
        self.admin.want("shop", duties)

    async def tells(self, words: str) -> None:
        await until(lambda: words in self.admin.problems("shop").get("qdrant", ""), f"the problem {words!r}")

    async def well(self) -> None:
        await until(lambda: not self.admin.problems("shop"), "no problem")


@asynccontextmanager
async def working(server: Standing, clock: Hands | None = None) -> AsyncIterator[Working]:
    work = Working(server, clock or Hands())
    running: Awaitable[None] = asyncio.ensure_future(work.admin.run())
    yield work
    assert isinstance(running, asyncio.Task)
    running.cancel()
    await asyncio.wait({running})


async def made(server: Standing, name: str = NAME) -> None:
    await until(
        lambda: server.app.schemas.get(name, {}).keys() == INDEXES.keys(), f"collection {name} with its indexes"
    )


async def looked(server: Standing) -> None:
    """Waits for a look that began and ended after now."""
    before = len(server.app.asked)
    await until(lambda: len(server.app.asked) > before + 2, "two more looks")


def tell(server: Standing, method: str, body: bytes = b"", name: str = NAME) -> None:
    """A request about a collection, with the server's own key."""
    headers = [(b"api-key", KEY.encode())]
    server.app.answer({"method": method, "path": f"/collections/{name}", "headers": headers}, body)


def saved(server: Standing, name: str = NAME) -> list[Path]:
    return sorted((server.folder / name / "snapshots").glob("*.snapshot"))


async def test_a_gateway_with_its_token_alone_finds_a_collection_that_is_ready(server: Standing) -> None:
    async with working(server) as work:
        work.want(DUTY)
        await made(server)
    assert server.app.sizes[NAME] == {"text": (384, "Cosine")}
    assert server.app.schemas[NAME]["scope"]["params"]["is_tenant"] is True
    store = qdrant_store(server, api_key=qdrant_token("shop", KEY), collection=NAME)
    await store.open()
    async with asyncio.timeout(PATIENCE):
        while store.stats()["state"] != "open":  # it waits a second for an answer, which a busy machine may not give
            await store.upkeep(NOW)
            await asyncio.sleep(0.05)
    assert await store.put(record(1, vector=axis(1.0).tobytes()), 10)
    assert await store.get(record(1).key, NOW) == record(1).data
    await store.close()


async def test_one_that_was_dropped_or_lost_an_index_is_made_again(server: Standing) -> None:
    async with working(server) as work:
        work.want(DUTY)
        await made(server)
        tell(server, "DELETE")
        await made(server)
        del server.app.schemas[NAME]["scope"]
        await made(server)
        assert work.admin.problems("shop") == {}


async def test_what_goes_wrong_is_told_without_the_key_and_wakes_the_namespace(server: Standing) -> None:
    async with working(server) as work:
        wrong = dataclasses.replace(DUTY, key="another-secret")
        work.want(wrong)
        await work.tells("was answered 401")
        assert work.woken == ["shop"]
        assert (
            "another-secret" not in f"{work.admin.problems('shop')} {dataclasses.replace(DUTY, key='another-secret')}"
        )
        work.want(DUTY)
        await work.well()
        assert work.woken == ["shop", "shop"]


async def test_a_server_that_is_away_is_told_until_it_is_back(server: Standing) -> None:
    await server.stop()
    async with working(server) as work:
        work.want(DUTY)
        await work.tells("failed")
        await server.start()
        await work.well()
        await made(server)


async def test_somebody_elses_collection_is_left_alone_and_told(server: Standing) -> None:
    other = b'{"vectors": {"text": {"size": 8, "distance": "Dot"}}}'
    tell(server, "PUT", other)
    async with working(server) as work:
        work.want(DUTY)
        await work.tells("has 8 dimensions and distance Dot, not 384 dimensions and Cosine; delete that collection")
        tell(server, "DELETE")
        await made(server)


async def test_an_older_embedders_collection_stands_beside_the_new_one_for_a_day(server: Standing) -> None:
    clock, old = Hands(), f"{collection_prefix('shop')}older-128"
    async with working(server, clock) as work:
        work.want(dataclasses.replace(DUTY, collections=(old,)))
        await made(server, old)
        work.want(DUTY)
        await made(server)
        await looked(server)
        clock.at += 86_399.0
        await looked(server)
        assert server.app.shards.keys() == {old, NAME}
        clock.at += 1.0
        await until(lambda: server.app.shards.keys() == {NAME}, "the old one dropped")


async def test_a_server_that_is_not_named_any_more_is_left_alone(server: Standing) -> None:
    async with working(server) as work:
        work.want(dataclasses.replace(DUTY, key="another"))
        await work.tells("401")
        work.want()
        assert work.admin.problems("shop") == {}


async def test_collections_are_saved_once_before_another_image_runs(server: Standing) -> None:
    async with working(server) as work:
        for image in ("qdrant:2", "qdrant:3", "qdrant:4"):
            work.want(dataclasses.replace(DUTY, save_before=image))
            await until(lambda image=image: work.admin.snapshots("shop") == Snapshots(image), f"saved before {image}")  # type: ignore[misc]
        assert work.woken == ["shop"] * 3
        assert len(saved(server)) == 2  # the newest ones
        work.want(DUTY)
        await until(lambda: work.admin.snapshots("shop") is None, "nothing to be saved any more")


async def test_a_snapshot_that_fails_is_told_and_tried_again(server: Standing) -> None:
    async with working(server) as work:
        work.want(DUTY)
        await made(server)
        (server.folder / NAME / "snapshots").write_text("in the way")
        work.want(dataclasses.replace(DUTY, save_before="qdrant:2"))
        await until(lambda: (told := work.admin.snapshots("shop")) and told.problem, "a problem")
        assert work.admin.problems("shop") == {}  # it is used as it is
        (server.folder / NAME / "snapshots").unlink()
        await until(lambda: work.admin.snapshots("shop") == Snapshots("qdrant:2"), "saved")
        assert len(saved(server)) == 1
