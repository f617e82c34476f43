"""The console's section on reuse by meaning: what is proven, how the bound went, hits beside their questions."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from doubles.bookkeeping import Gateway, hit, route
from doubles.browser import console
from sluice_sidecar.config import Config, Paraphrase, Policy

NOON = 1_750_000_000.0
POLICIES = {
    "faq": Policy(name="faq", ttl=3600.0, paraphrase=Paraphrase(), label=True, bound=0.01),
    "papers": Policy(name="papers", ttl=3600.0, template=True, bound=0.005),
    "loose": Policy(name="loose", ttl=3600.0, label=True, paraphrase=Paraphrase(similarity=0.94)),
}
CONFIG = Config(routes={"support": route()}, policies=POLICIES).sealed()


def moments(*bounds: float) -> list[dict[str, Any]]:
    """One a minute; 1 is closed."""
    return [
        {"at": NOON + 60 * i, "bound": b, "threshold": 0.9 if b < 1 else None, "labels": 90.0 * i, "errors": i / 40,
         "open": b < 1}
        for i, b in enumerate(bounds)
    ]  # fmt: skip


def report(**given: Any) -> dict[str, Any]:
    """An open strategy's evidence, unless told otherwise."""
    known: dict[str, Any] = {
        "open": True, "reason": "bound held", "bound": 0.0083, "threshold": 0.912, "labels": 1840.0, "errors": 6.0,
        "needed": 0.0, "requests": 9000, "served": 2210, "shadowed": 131, "drift": 0.04, "suspected": False,
        "closures": 1, "promised": 0.01, "history": [],
    }  # fmt: skip
    return {**known, **given}


def reused(request: str, **given: Any) -> dict[str, Any]:
    known = {
        "request": request, "at": NOON, "tenant": "acme", "policy": "faq", "strategy": "paraphrase", "score": 0.9931,
        "similarity": 0.947, "asked": "How can I get my money back?", "filled": "What do I do to get a refund?",
        "entry": "0" * 32,
    }  # fmt: skip
    return {**known, **given}


def gateway(**given: Any) -> Gateway:
    """One whose labels opened, closed by drift and opened again, whose paraphrases wait for evidence."""
    falling = [1.0] * 12 + [0.0099 - 0.00004 * i for i in range(40)] + [1.0] * 20 + [0.0098, 0.0095, 0.0090, 0.0083]
    shut = report(open=False, reason="evidence", bound=1.0, threshold=None, needed=119.2, served=0, shadowed=0)
    proven = {"faq": {"label": report(history=moments(*falling)), "paraphrase": {**shut, "history": moments(1.0, 1.0)}}}
    hits = [
        reused("r2", strategy="label", asked="my card was eaten by the machine", filled="the machine kept my card"),
        reused("r1"),
    ]
    made = Gateway(**{"served": CONFIG, "proven": proven, "reused": hits, **given})
    made.ledger.record(hit(cache="label", similarity=0.9), route())
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_strategy_says_where_it_stands(tmp_path: Path, scheme: str) -> None:
    async with console(gateway(), color_scheme=scheme) as seen:
        page = seen.page
        label = page.locator('[data-strategy="faq/label"]')
        await expect(label.locator(".pill")).to_have_text("open")
        await expect(label.locator(".why")).to_have_text("open from score 0.912")
        await expect(label.locator(".facts")).to_contain_text("0.83 % of 1.00 %")
        await expect(label.locator(".facts")).to_contain_text("1,840")
        await expect(label.locator("svg path.bound")).to_have_count(1)
        await expect(label.locator("svg rect.closed")).to_have_count(2)
        await expect(label.locator("svg line.promised")).to_have_count(1)
        waiting = page.locator('[data-strategy="faq/paraphrase"]')
        await expect(waiting.locator(".pill")).to_have_text("closed")
        await expect(waiting.locator(".why")).to_contain_text("closed: about 120 more right answers needed")
        await expect(page.locator('[data-strategy="papers/template"] .why')).to_contain_text("nothing was proposed yet")
        await expect(page.locator('[data-strategy="loose/paraphrase"] .pill')).to_have_text("unbounded")
        await expect(page.locator('[data-strategy="loose/label"]')).to_have_count(0)
        await page.screenshot(path=tmp_path / f"reuse-{scheme}.png", full_page=True)
        assert seen.wrong == []


async def test_a_hit_opens_beside_the_question_that_filled_it(tmp_path: Path) -> None:
    made = gateway()
    async with console(made) as seen:
        page = seen.page
        await expect(page.locator("#hits tr.hit")).to_have_count(2)
        filled = page.get_by_text("What do I do to get a refund?")
        await expect(filled).to_be_hidden()
        button = page.get_by_role("button", name="How can I get my money back?")
        await button.click()
        await expect(filled).to_be_visible()
        await expect(button).to_have_attribute("aria-expanded", "true")
        await page.locator("#meaning").screenshot(path=tmp_path / "open.png")
        made.reused = [reused("r3", asked="a newer one", filled="an older one"), *made.reused]
        await expect(page.locator("#hits tr.hit")).to_have_count(3, timeout=10_000)
        await expect(filled).to_be_visible()
        await button.press("Enter")
        await expect(filled).to_be_hidden()
        assert seen.wrong == []


async def test_texts_of_asks_are_text_and_never_markup() -> None:
    evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    proven = {"faq": {"label": report(open=False, reason=evil)}}
    strange = reused("r1", asked=evil, filled=evil, policy=evil, strategy=evil, tenant=evil)
    async with console(gateway(reused=[strange], proven=proven)) as seen:
        await seen.page.locator("#hits tr.hit button").click()
        await expect(seen.page.locator("#hits blockquote").first).to_have_text(evil)
        await expect(seen.page.locator('[data-strategy="faq/label"] .why')).to_contain_text("<img src=x")
        assert await seen.page.title() == "Sluice"
        assert await seen.page.locator("main img").count() == 0
        assert seen.wrong == []


async def test_without_such_policies_there_is_no_such_section() -> None:
    bare = Config(routes={"support": route()}, policies={"p": Policy(name="p", ttl=60.0)}).sealed()
    async with console(gateway(served=bare, reused=[], proven={})) as seen:
        await expect(seen.page.locator("#requests")).to_have_text("1")
        await expect(seen.page.locator("#meaning")).to_be_hidden()


async def test_nothing_reused_yet_is_said() -> None:
    async with console(gateway(reused=[])) as seen:
        await expect(seen.page.locator("#no-hits")).to_have_text("No answer was reused by meaning yet.")
        await expect(seen.page.locator("#hits-table")).to_be_hidden()


async def test_a_narrow_screen_does_not_scroll_sideways() -> None:
    made = gateway(reused=[reused("r1", asked="word " * 300, filled="x" * 1500)])
    async with console(made) as seen:
        await seen.page.set_viewport_size({"width": 390, "height": 844})
        await seen.page.locator("#hits tr.hit button").click()
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
