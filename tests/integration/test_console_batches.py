"""The console's section on deferred requests: windows on a line of time, what waits for them, batches under way."""

from typing import Any

from playwright.async_api import expect

from doubles.bookkeeping import NOON, Gateway, hit, route
from doubles.browser import console
from sluice_sidecar.config import Config

CONFIG = Config(routes={"support": route()}).sealed()
HOUR = 3_600.0


def window(**given: Any) -> dict[str, Any]:
    """A closed window of the night with a queue, unless told otherwise."""
    known: dict[str, Any] = {
        "name": "night", "routes": ["support"], "concurrency": 32, "open": False, "queued": 1200, "running": 0,
        "openings": [{"start": NOON + HOUR * at, "end": NOON + HOUR * (at + 8)} for at in (6, 30)],
        "done_in_seconds": 7.5 * HOUR,
    }  # fmt: skip
    return known | given


def queue(*windows: dict[str, Any], batches: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"reason": None, "now": NOON, "horizon": 48 * HOUR, "windows": list(windows), "batches": list(batches)}


UNNAMED = window(name=None, routes=[], open=True, queued=0, openings=[], done_in_seconds=None)


async def test_windows_and_batches_are_shown_and_follow_and_without_any_there_is_no_section() -> None:
    batch = {
        "id": "batch_1", "tenant": "acme", "status": "in_progress", "created": NOON, "total": 500, "completed": 120,
        "failed": 3,
    }  # fmt: skip
    gateway = Gateway(served=CONFIG, queue=queue(UNNAMED))
    async with console(gateway) as seen:
        page = seen.page
        await expect(page.locator("#ready")).to_have_text("ready")
        await expect(page.locator("#queue")).to_be_hidden()
        gateway.queue = queue(window(), window(name="day", open=True, running=4), UNNAMED)
        await expect(page.locator("#queued")).to_have_text("2,400")
        await expect(page.locator("#queued-words")).to_have_text("queued, 4 running")
        await expect(page.locator("#windows .window")).to_have_count(2)
        await expect(page.locator("#windows .window").first.locator(".opening")).to_have_count(2)
        await expect(page.locator("#windows .window").first).to_contain_text("1,200 queued, done in about 7.5 h")
        label = await page.locator("#windows svg").get_attribute("aria-label")
        assert label is not None
        assert "night (support): closed now" in label
        assert "day (support): open now" in label
        await expect(page.locator("#batches-table")).to_be_hidden()
        gateway.queue = queue(window(queued=0, done_in_seconds=None), batches=(batch,))
        await expect(page.locator("#batches tr")).to_have_count(1)
        await expect(page.locator("#batches")).to_contain_text("in progress")
        await expect(page.locator("#windows .until")).to_have_count(0)
        assert seen.wrong == []


async def test_names_are_text_and_a_narrow_screen_does_not_scroll_sideways() -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    batch = {
        "id": evil, "tenant": evil, "status": evil, "created": NOON, "total": 0, "completed": 0, "failed": 0,
    }  # fmt: skip
    gateway = Gateway(served=CONFIG, queue=queue(window(name=evil), batches=(batch,)))
    gateway.ledger.record(hit(), route())
    async with console(gateway, color_scheme="dark") as seen:
        await seen.page.set_viewport_size({"width": 390, "height": 844})
        await expect(seen.page.locator("#batches")).to_contain_text("<img src=x")
        await expect(seen.page.locator("#windows")).to_contain_text("<img src=x")
        assert await seen.page.title() == "Sluice"
        assert await seen.page.locator("img").count() == 0
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert seen.wrong == []
