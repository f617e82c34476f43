"""Ready addresses of managed models."""

import asyncio

from sluice_sidecar.config import Endpoints
from sluice_sidecar.endpoints import EndpointsView


def endpoints(*urls: str) -> Endpoints:
    return Endpoints(models={"m": urls})


async def test_knows_what_is_ready() -> None:
    view = EndpointsView(endpoints("http://a", "http://b"))
    assert view.ready("m") == ("http://a", "http://b")
    assert view.ready("other") == ()
    view.update(Endpoints())
    assert view.ready("m") == ()


async def test_the_least_busy_is_asked() -> None:
    view = EndpointsView(endpoints("http://a", "http://b"))
    view.enter("http://a")
    assert view.least_busy("m") == "http://b"
    view.enter("http://b")
    view.enter("http://b")
    assert view.least_busy("m") == "http://a"
    view.leave("http://b")
    view.leave("http://b")
    assert view.least_busy("m") == "http://b"


async def test_all_who_wait_are_served_when_the_model_is_ready() -> None:
    view = EndpointsView()
    waiting = [asyncio.create_task(view.wait("m", 5.0)) for _ in range(3)]
    await asyncio.sleep(0)
    view.update(Endpoints(models={"other": ("http://x",)}))
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    view.update(endpoints("http://a"))
    assert await asyncio.gather(*waiting) == ["http://a"] * 3


async def test_waiting_ends_with_its_time() -> None:
    assert await EndpointsView().wait("m", 0.0) is None


async def test_an_address_that_refused_is_passed_over_for_a_moment() -> None:
    view = EndpointsView(endpoints("http://a", "http://b"))
    view.refused("http://a")
    assert view.least_busy("m") == "http://b"
    view.refused("http://b")
    assert view.least_busy("m") is None
    assert await view.wait("m", 5.0) in ("http://a", "http://b")


async def test_who_waits_behind_a_dead_address_gets_its_successor_at_once() -> None:
    view = EndpointsView(endpoints("http://dead"))
    view.refused("http://dead")
    waiting = asyncio.create_task(view.wait("m", 5.0))
    await asyncio.sleep(0)
    view.update(endpoints("http://new"))
    assert await waiting == "http://new"


async def test_a_model_that_cannot_run_here_is_not_waited_for() -> None:
    view = EndpointsView(Endpoints(unavailable={"m": "it needs a GPU"}))
    assert await view.wait("m", 60.0) is None
    assert view.unavailable("m") == "it needs a GPU"
