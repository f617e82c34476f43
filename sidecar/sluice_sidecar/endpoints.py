"""Where managed models answer right now, and how busy each address is."""

import asyncio

from sluice_sidecar.config import Config, Endpoints, QdrantStore, RedisServer
from sluice_sidecar.upstream.request import parse_url

AVOID = 1.0
"""Seconds for which an address that refused a connection is passed over: by then a dead one is off the list."""


def inside(config: Config, endpoints: Endpoints) -> set[tuple[str, int]]:
    """(host, port) of managed models, stores and state: the operator's own words, so no leave by egress.allow."""
    urls = [url for found in endpoints.models.values() for url in found]
    servers = (config.gateway.state, *(policy.store for policy in config.policies.values()))
    urls += [
        server.url if isinstance(server, QdrantStore) else f"http://{server.address}"
        for server in servers
        if isinstance(server, QdrantStore | RedisServer) and server.managed
    ]
    found = set()
    for url in urls:
        try:
            origin, _ = parse_url(url)
        except ValueError:
            continue  # whoever calls it will say so
        found.add((origin.host, origin.port))
    return found


class EndpointsView:
    """The latest Endpoints. Swapped whole, read per request."""

    __slots__ = ("_busy", "_changed", "_models", "_refused", "_unavailable")

    def __init__(self, endpoints: Endpoints | None = None) -> None:
        self._models = {} if endpoints is None else dict(endpoints.models)
        self._unavailable = {} if endpoints is None else dict(endpoints.unavailable)
        self._busy: dict[str, int] = {}
        self._refused: set[str] = set()
        self._changed: asyncio.Event | None = None

    def update(self, endpoints: Endpoints) -> None:
        """Takes a new list; requests that wait for a model look again."""
        self._models, self._unavailable = dict(endpoints.models), dict(endpoints.unavailable)
        self._wake()

    def refused(self, url: str) -> None:
        """An address that let nobody in: for a moment it is none, and requests go elsewhere or wait."""
        self._refused.add(url)
        asyncio.get_running_loop().call_later(AVOID, self._forgive, url)

    def _forgive(self, url: str) -> None:
        self._refused.discard(url)
        self._wake()

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def ready(self, name: str) -> tuple[str, ...]:
        """Base URLs of a managed model that answer; empty while it starts."""
        return self._models.get(name, ())

    def unavailable(self, name: str) -> str | None:
        """Why a managed model will not come up here, if so."""
        return self._unavailable.get(name)

    async def wait(self, name: str, seconds: float) -> str | None:
        """The least busy base URL, as soon as there is one; None when there is none within `seconds`,
        or none to be expected."""
        try:
            async with asyncio.timeout(seconds):
                while (url := self.least_busy(name)) is None:
                    if name in self._unavailable:
                        return None
                    if self._changed is None:
                        self._changed = asyncio.Event()
                    await self._changed.wait()
        except TimeoutError:
            return None
        return url

    def least_busy(self, name: str) -> str | None:
        """The ready base URL with the fewest calls in flight from here; the first of equals, whose caches are warm."""
        urls = self._models.get(name)
        if urls and self._refused:
            urls = tuple(url for url in urls if url not in self._refused)
        if not urls:
            return None
        if len(urls) == 1:
            return urls[0]
        busy = self._busy
        return min(urls, key=lambda url: busy.get(url, 0))

    def enter(self, url: str) -> None:
        """Counts a call that starts."""
        self._busy[url] = self._busy.get(url, 0) + 1

    def leave(self, url: str) -> None:
        """Counts a call that ended."""
        calls = self._busy.get(url, 0) - 1
        if calls > 0:
            self._busy[url] = calls
        else:
            self._busy.pop(url, None)
