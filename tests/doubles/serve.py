"""The real gateway on real sockets in this process: `async with serving(config) as url`."""

import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice_sidecar.app import Gateway
from sluice_sidecar.config import Backend, Config, Policy, Price, Route, Single
from sluice_sidecar.config import Gateway as GatewayPart
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.server import Listener


@dataclass(frozen=True)
class Served:
    """A running gateway: `url` is what a client's base URL needs before /v1, `admin` the admin port's."""

    gateway: Gateway
    url: str
    admin: str

    @property
    def base_url(self) -> str:
        return self.url + "/v1"


def backend(url: str, name: str = "house", **more: Any) -> Backend:
    """A backend that speaks both dialects."""
    return Backend(name=name, url=url, families=("openai", "anthropic"), price=PRICE, **more)


PRICE = Price.model_validate({"input": "1", "output": "2"})


def route(backends: Iterable[Backend], name: str = "main", models: tuple[str, ...] = ("auto",), **more: Any) -> Route:
    """A route over `backends`, the first one alone unless a strategy is given."""
    by_name = {one.name: one for one in backends}
    first = next(iter(by_name))
    more.setdefault("strategy", Single(backend=first))
    return Route(name=name, models=models, backends=by_name, reference=first, **more)


def policy(name: str = "keep", **more: Any) -> Policy:
    """A cache policy of an hour, without jitter."""
    return Policy(name=name, **{"ttl": 3600.0, "jitter": 0.0, **more})


def config(*routes: Route, policies: Iterable[Policy] = (), **gateway: Any) -> Config:
    """A sealed Config."""
    return Config(
        routes={one.name: one for one in routes},
        policies={one.name: one for one in policies},
        gateway=GatewayPart(**gateway),
    ).sealed()


@asynccontextmanager
async def serving(
    served: Config,
    *,
    data: Path | None = None,
    batches: Path | None = None,
    environ: Mapping[str, str] | None = None,
    ca_bundle: Path | None = None,
) -> AsyncIterator[Served]:
    """The gateway with `served`, until the block ends."""
    gateway = Gateway(
        GatewayOptions(
            credentials=Credentials(environ or {}),
            data=data,
            batches=batches,
            allow_loopback=True,
            access_log=False,
            ca_bundle=ca_bundle,
        )
    )
    await gateway.start()
    await gateway.swap(served)
    listeners = [Listener(app, _socket()) for app in (gateway.asgi, gateway.admin)]
    for listener in listeners:
        await listener.start()
    data_url, admin_url = (f"http://127.0.0.1:{listener.address[1]}" for listener in listeners)
    try:
        yield Served(gateway, data_url, admin_url)
    finally:
        for listener in listeners:
            listener.stop_accepting()
            await listener.drain(1.0)
        await gateway.drain()


def _socket() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock
