"""Tells the operator what this gateway serves: on every change, and each interval."""

import asyncio
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from sluice_sidecar.cluster.api import ANYWHERE, pause
from sluice_sidecar.cluster.places import ENDPOINTS_MAP
from sluice_sidecar.config import CAPABILITIES, SCHEMA, Config, Reports
from sluice_sidecar.ledger.decision import HITS, text
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.request import Timeouts, parse_url
from sluice_sidecar.version import __version__

if TYPE_CHECKING:
    from sluice_sidecar.ledger.savings import Key, Row

INTERVAL = 30.0
"""Seconds between two reports where nothing changes; the operator may ask for another interval."""
LEAST, MOST = 1.0, 300.0
QUICK = Timeouts(connect=5.0, first_byte=10.0, total=10.0)
ANSWER_BYTES = 65_536

_log = logging.getLogger("sluice.cluster")


class Books(Protocol):
    """What a report reads of the ledger."""

    def rows(self) -> "list[tuple[Key, Row]]": ...  # noqa: D102


class Reported(Protocol):
    """What a report reads of the gateway."""

    @property
    def ledger(self) -> Books: ...  # noqa: D102

    def config(self) -> Config | None: ...  # noqa: D102

    def refused(self) -> Mapping[str, str]: ...  # noqa: D102

    def reports(self) -> Reports | None:
        """Where reports go; None: nowhere."""

    def store(self, policy: str) -> "tuple[int | None, str]":
        """Answers in a policy's store, None where they are not counted for it alone, and why it cannot be used."""

    async def windows(self) -> Mapping[str, Any]:
        """BatchWindow -> its figures, see `sluice_sidecar.batch.figures.report`."""

    def bound(self, policy: str) -> float | None:
        """The worst upper bound on the error of what a policy reuses by meaning; None: it reuses nothing so."""


class Reporter:
    """Sends reports until its `run` is cancelled. What cannot be sent is sent again later; nothing waits for it."""

    def __init__(self, gateway: Reported, token: Path, *, role: str, only: str | None = None) -> None:
        """`only`: the URL that the token may be sent to, whatever the gateway was told; "": none, None: any."""
        self._gateway, self._token, self._role, self._only = gateway, token, role, only
        self._started = time.time()
        self._before = _totals(gateway.ledger.rows())
        self._changed = asyncio.Event()
        self._problem = ""
        self._client: Client | None = None
        self._ca: str | None = None
        self._trouble = ""

    def serves(self) -> None:
        """A Config was adopted."""
        self._problem = ""
        self._changed.set()

    def refuses(self, why: str) -> None:
        """The latest Config was refused as a whole."""
        self._problem = why
        self._changed.set()

    def body(self) -> dict[str, Any]:
        """The report, as JSON data. Counts are since this process started."""
        config = self._gateway.config()
        refused = dict(self._gateway.refused())
        totals = _totals(self._gateway.ledger.rows())
        savings = {route: _less(total, self._before.get(route)) for route, total in totals.items()}
        routes = {} if config is None else config.routes
        return {
            "version": __version__,
            "schemas": [SCHEMA],
            "capabilities": sorted(CAPABILITIES),
            "role": self._role,
            "started": self._started,
            "digest": "" if config is None else config.digest,
            "routes": {name: route.digest for name, route in routes.items() if name not in refused},
            "refused": refused,
            "problem": self._problem,
            "savings": {route: total.plain() for route, total in savings.items() if total.requests and route in routes},
            "policies": {} if config is None else dict(self._policies(config, savings)),
        }

    async def run(self) -> None:
        """Reports until cancelled."""
        failures = 0
        interval = INTERVAL
        while True:
            self._changed.clear()
            wait = interval
            to = self._where()
            if to is not None:
                try:
                    interval = wait = await self._send(to)
                    failures, self._trouble = 0, ""
                except (UpstreamError, OSError, ValueError) as problem:
                    failures += 1
                    wait = pause(failures)
                    self._warn(str(problem))
            else:
                wait = LEAST  # the address comes with the endpoints
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Lets go of the connection."""
        if self._client is not None:
            await self._client.close()

    def _where(self) -> Reports | None:
        to = self._gateway.reports()
        if to is None or self._only in (None, to.url):
            return to
        if self._only:  # else this installation takes no reports
            self._warn(f"they go to {self._only} alone, and ConfigMap {ENDPOINTS_MAP} names {to.url}")
        return None

    def _warn(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            _log.warning("cannot report to the operator: %s", trouble)

    async def _send(self, to: Reports) -> float:
        """Sends one report; returns the seconds until the next."""
        if self._client is None or self._ca != to.ca:
            await self.close()
            context = ssl.create_default_context(cadata=to.ca or None)
            context.set_alpn_protocols(["http/1.1"])
            self._client, self._ca = Client(Guard(ANYWHERE), ssl_context=context), to.ca
        origin, base = parse_url(to.url)
        headers = [
            (b"authorization", b"Bearer " + self._token.read_bytes().strip()),
            (b"content-type", b"application/json"),
        ]
        body = {**self.body(), "windows": await self._gateway.windows()}
        response = await self._client.send(origin, b"POST", base + b"/v1/reports", headers, orjson.dumps(body), QUICK)
        try:
            answer = await response.read(ANSWER_BYTES)
        finally:
            response.abort()
        if response.status != 200:
            raise ValueError(f"{to.url} answered {response.status}")
        said = orjson.loads(answer)
        wanted = said.get("interval", INTERVAL) if isinstance(said, dict) else INTERVAL
        return min(MOST, max(LEAST, float(wanted)))

    def _policies(self, config: Config, savings: "Mapping[str, _Total]") -> Iterator[tuple[str, dict[str, Any]]]:
        for name in config.policies:
            entries, away = self._gateway.store(name)
            users = [
                savings[route.name]
                for route in config.routes.values()
                if route.policy == name and route.name in savings
            ]
            yield (
                name,
                {
                    "entries": entries,
                    "requests": sum(total.requests for total in users),
                    "reused": sum(total.reused for total in users),
                    "store": away,
                    "bound": self._gateway.bound(name),
                },
            )


class _Total:
    """One route's sums; `money` in pico of the currency that most was saved in."""

    def __init__(self) -> None:
        self.requests = self.reused = self.tokens = 0
        self.money: dict[str, int] = {}

    def plain(self) -> dict[str, Any]:
        currency = max(self.money, key=lambda one: abs(self.money[one]), default="USD")
        return {
            "requests": self.requests,
            "reused": self.reused,
            "money": text(self.money.get(currency, 0)),
            "currency": currency,
            "tokens": self.tokens,
        }


def _totals(rows: "list[tuple[Key, Row]]") -> dict[str, _Total]:
    found: dict[str, _Total] = {}
    for key, row in rows:
        total = found.setdefault(key.route, _Total())
        total.requests += row.requests
        if key.cache in HITS:
            total.reused += row.requests
            total.tokens += row.completion
        if key.currency:
            total.money[key.currency] = total.money.get(key.currency, 0) + row.reference_cost - row.cost
    return found


def _less(now: _Total, before: _Total | None) -> _Total:
    if before is None:
        return now
    since = _Total()
    since.requests, since.reused = now.requests - before.requests, now.reused - before.reused
    since.tokens = now.tokens - before.tokens
    since.money = {currency: money - before.money.get(currency, 0) for currency, money in now.money.items()}
    return since
