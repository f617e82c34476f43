"""The console in a real browser, fed by a real ledger through a served admin port."""

import random
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from doubles.bookkeeping import Call, Gateway, decision, hit, route
from doubles.browser import console
from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Config

CONFIG = Config(routes={"support": route()}).sealed()


def busy(gateway: Gateway, requests: int = 400) -> None:
    """A morning's traffic: misses by the large model, escalations, reuse of all kinds."""
    dice, support, at = random.Random(5), route(), 1_750_000_000.0
    for i in range(requests):
        at += dice.expovariate(0.4)
        usage = Usage(dice.randint(60, 700), 0, dice.randint(20, 240))
        took = 0.35 + 0.0002 * usage.prompt + 0.011 * usage.completion + abs(dice.gauss(0, 0.15))
        kind = dice.choices(["large", "small", "both", "identical", "paraphrase", "flight"], [18, 16, 4, 34, 22, 6])[0]
        common: dict[str, Any] = {"id": f"req-{i}", "at": at, "usage": usage}
        if kind == "large":
            one = decision(**common, latency=took + 0.001, attempts=(Call("large", took, usage),))
        elif kind == "small":
            quick = took * 0.4
            one = decision(
                **common, backend="small", latency=quick, attempts=(Call("small", quick, usage, verdict="accepted"),)
            )
        elif kind == "both":
            calls = (Call("small", took * 0.4, usage, verdict="unsure"), Call("large", took, usage))
            one = decision(**common, latency=took * 1.4, attempts=calls)
        elif kind == "paraphrase":
            one = hit(
                **common,
                cache="paraphrase",
                similarity=dice.uniform(0.94, 1),
                took=took,
                latency=dice.uniform(0.002, 0.006),
            )
        elif kind == "flight":
            one = hit(**common, cache="flight", took=None, latency=took * dice.random())
        else:
            one = hit(**common, took=took, latency=dice.lognormvariate(-8, 0.25))
        gateway.ledger.record(one, support)


async def test_an_idle_gateway_shows_how_to_begin() -> None:
    async with console(Gateway(served=CONFIG)) as seen:
        await expect(seen.page.get_by_role("heading", name="No requests yet")).to_be_visible()
        await expect(seen.page.locator("#ready")).to_have_text("ready")
        await expect(seen.page.locator("#digest")).to_have_text(CONFIG.digest.removeprefix("sha256:")[:12])
        assert seen.wrong == []


async def test_savings_latency_and_decisions_are_shown_and_follow(tmp_path: Path) -> None:
    gateway = Gateway(served=CONFIG)
    busy(gateway)
    async with console(gateway) as seen:
        page, report = seen.page, gateway.ledger.savings()
        share = report["money"]["USD"]["share"]
        await expect(page.locator("#saved-share")).to_have_text(f"{share * 100:.0f} %")
        await expect(page.locator("#hit-rate")).to_have_text(f"{report['hit_rate']['total'] * 100:.1f} %")
        await expect(page.locator("#requests")).to_have_text("400")
        await expect(page.locator("#recent tr")).to_have_count(25)
        await expect(page.locator("#legend li")).to_have_count(4)
        await expect(page.locator("#chart path.area")).to_have_count(2)
        await expect(page.locator("#without-mean")).to_contain_text(" to ")
        await expect(page.locator("#basis")).to_contain_text("its reference large takes")
        gateway.ledger.record(hit(id="newest", similarity=0.987, cache="paraphrase"), route())
        first = page.locator("#recent tr").first
        await expect(first).to_contain_text("0.987")
        await expect(first).to_contain_text("paraphrase")
        await expect(page.locator("#requests")).to_have_text("401")
        await page.screenshot(path=tmp_path / "console.png", full_page=True)
        assert seen.wrong == []


async def test_names_from_outside_are_text_and_never_markup() -> None:
    gateway = Gateway(served=CONFIG)
    evil = "<img src=x onerror=document.title='owned'>"
    gateway.ledger.record(decision(model=evil, tenant=evil, error=evil, status=502, cache="none"), route())
    gateway.ledger.record(hit(backend=evil, dialect=evil), route(evil))
    async with console(gateway) as seen:
        await expect(seen.page.locator("#recent tr")).to_have_count(2)
        await expect(seen.page.locator("#recent")).to_contain_text("<img src=x")
        assert await seen.page.title() == "Sluice"
        assert await seen.page.locator("img").count() == 0
        assert seen.wrong == []


async def test_trouble_is_said() -> None:
    gateway = Gateway(served=CONFIG, not_served={"sales": "needs task"}, missing=["model smollm2 is starting"])
    async with console(gateway) as seen:
        await expect(seen.page.locator("#ready")).to_have_text("not ready")
        await expect(seen.page.locator("#notice")).to_contain_text("sales is not served: needs task")
        gateway.missing.clear()
        gateway.not_served.clear()
        await expect(seen.page.locator("#ready")).to_have_text("ready")
        await expect(seen.page.locator("#notice")).to_be_hidden()


async def test_a_narrow_screen_does_not_scroll_sideways() -> None:
    gateway = Gateway(served=CONFIG)
    busy(gateway, 60)
    async with console(gateway, color_scheme="dark") as seen:
        await seen.page.set_viewport_size({"width": 390, "height": 844})
        await expect(seen.page.locator("#recent tr")).to_have_count(25)
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
