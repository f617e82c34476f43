"""The port for the kubelet and Prometheus: /healthz, /readyz, /metrics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Verdict = Callable[[], str]
"""Why not; "" : all is well."""

METRICS = "text/plain; version=0.0.4; charset=utf-8"


def application(alive: Verdict, ready: Verdict, metrics: Callable[[], bytes]) -> web.Application:
    """Probes answer 200 `ok`, or 503 with the reason in one line."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(alive())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready())

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": METRICS})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    return app


def _answer(why: str) -> web.Response:
    return web.Response(status=503 if why else 200, text=f"{why or 'ok'}\n")


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serves while it is entered; gives the port, a free one for 0. Raises OSError where it is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
