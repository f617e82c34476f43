"""The console in a real browser, on a served admin port: `async with console(gateway) as seen`."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page, async_playwright

from doubles.bookkeeping import Gateway
from doubles.components import program
from sluice_sidecar.admin.admin import Admin
from sluice_sidecar.server import Listener


@dataclass
class Seen:
    """A page and whatever went wrong on it."""

    page: Page
    gateway: Gateway
    wrong: list[str] = field(default_factory=list)


@asynccontextmanager
async def console(gateway: Gateway, **look: Any) -> AsyncIterator[Seen]:
    listener = Listener(Admin(gateway), socket.create_server(("127.0.0.1", 0)))
    await listener.start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            page = await browser.new_page(viewport={"width": 1180, "height": 900}, **look)
            seen = Seen(page, gateway)
            page.on("console", lambda m: seen.wrong.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: seen.wrong.append(str(e)))
            page.on("requestfailed", lambda r: seen.wrong.append(r.url))
            await page.goto(f"http://127.0.0.1:{listener.address[1]}/")
            yield seen
            await browser.close()
    finally:
        listener.stop_accepting()
        await listener.cut()
