"""Lists fill the mirror, correct it, and find watches that are silently dead."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sluice_operator.cluster_error import UNREACHABLE, ClusterError
from sluice_operator.mirror import Mirror
from sluice_operator.plan.plan import Ref
from sluice_operator.relist import BURST, PATIENCE, Relist
from sluice_operator.sources import MADE, SECRETS, Source

MAPS, SERVICES = MADE[0], MADE[3]
Data = dict[str, Any]


def body(name: str, version: int = 1, kind: str = "ConfigMap") -> Data:
    metadata = {"namespace": "team", "name": name, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


class Listed:
    """A cluster that holds objects by kind; away while it is told so."""

    def __init__(self, **objects: list[Data]) -> None:
        self.objects = objects
        self.away = False
        self.refused = ""
        self.asked: list[tuple[str, str | None, Mapping[str, str] | None]] = []

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Data]:
        self.asked.append((kind, namespace, labels))
        if self.away or kind == self.refused:
            reason, code = (UNREACHABLE, 0) if self.away else ("Forbidden", 403)
            raise ClusterError(Ref(api_version, kind, namespace, "*"), reason, "no", code=code)
        return self.objects.get(kind, [])


class World:
    """A mirror, its lists and a clock."""

    def __init__(self, lister: Listed, *sources: Source, namespaces: tuple[str, ...] = ()) -> None:
        self.now = 0.0
        self.mirror = Mirror()
        self.changed: list[frozenset[str]] = []
        self.restarted: list[Source] = []
        self.missed: list[tuple[Source, int]] = []
        self.relist = Relist(
            self.mirror,
            lister,
            sources,
            namespaces,
            self.changed.append,
            restarted=self.restarted.append,
            missed=lambda source, count: self.missed.append((source, count)),
            clock=lambda: self.now,
        )

    def tell(self, source: Source, event_type: str | None, told: Data) -> None:
        self.relist.heard(source, event_type)
        self.mirror.update(event_type, told)


async def test_it_fills_the_mirror_and_is_ready_when_all_was_listed() -> None:
    lister = Listed(ConfigMap=[body("a")])
    lister.refused = "Service"
    world = World(lister, MAPS, SERVICES)
    done = [(await world.relist.once(), world.mirror.ready)]
    lister.refused = ""
    done.append((await world.relist.once(), world.mirror.ready))
    assert done == [(False, False), (True, True)]
    assert world.changed == [{"team"}]
    assert world.missed == []


async def test_nothing_more_is_asked_of_a_server_that_is_away() -> None:
    lister = Listed()
    lister.away = True
    assert not await World(lister, MAPS, SERVICES).relist.once()
    assert len(lister.asked) == 1


async def test_it_asks_for_what_the_watches_pick_in_each_namespace() -> None:
    lister = Listed()
    await World(lister, SECRETS, namespaces=("a", "b")).relist.once()
    assert lister.asked == [
        ("Secret", namespace, {"sluice.dev/credential": value}) for namespace in "ab" for value in ("true", "managed")
    ]


async def test_a_watch_that_does_not_tell_what_a_list_found_is_dead() -> None:
    lister = Listed(ConfigMap=[body("a")], Service=[body("s", kind="Service")])
    world = World(lister, MAPS, SERVICES)
    await world.relist.once()
    for source, told in ((MAPS, body("a")), (SERVICES, body("s", kind="Service"))):
        world.tell(source, None, told)
    lister.objects["ConfigMap"] = [body("a", 2)]
    await world.relist.once()
    assert world.missed == [(MAPS, 1)]
    assert world.relist.dead() == ()  # it may only be late
    world.now += PATIENCE + 1
    assert world.relist.dead() == (MAPS,)


async def test_a_watch_that_was_only_late_is_alive() -> None:
    lister = Listed(ConfigMap=[body("a")])
    world = World(lister, MAPS)
    await world.relist.once()
    world.tell(MAPS, None, body("a"))
    world.now += PATIENCE + 1
    assert world.relist.dead() == ()


async def test_what_went_while_a_watch_was_cut_off_is_found_and_is_not_its_fault() -> None:
    lister = Listed(ConfigMap=[body("a")])
    world = World(lister, MAPS)
    await world.relist.once()
    world.tell(MAPS, None, body("a"))
    lister.objects.clear()
    await world.relist.once()
    world.now += PATIENCE + 1
    assert (len(world.mirror), world.relist.dead()) == (0, ())
    assert world.changed[-1] == {"team"}


async def test_a_watch_that_lists_anew_is_counted_once() -> None:
    world = World(Listed(ConfigMap=[body("a")]), MAPS)
    world.tell(MAPS, None, body("a"))
    world.tell(MAPS, None, body("b"))
    assert world.restarted == []
    world.now += BURST + 1
    world.tell(MAPS, None, body("a"))
    world.tell(MAPS, None, body("b"))
    assert world.restarted == [MAPS]


async def test_running_it_says_when_everything_was_listed() -> None:
    world = World(Listed(ConfigMap=[body("a")]), MAPS)
    running = asyncio.create_task(world.relist.run())
    await asyncio.wait_for(world.relist.filled.wait(), 30)
    running.cancel()
    await asyncio.wait({running})
    assert world.mirror.ready
