"""Microseconds of each stage of one request, measured on the real objects in this process, without a network."""

import asyncio
import time
import timeit
from collections.abc import Callable
from typing import Any

import orjson
import uvloop

from bench.configs import ANSWER, KEYS, ask, config
from sluice_sidecar.app import Gateway
from sluice_sidecar.ask import Ask, Caller, Usage
from sluice_sidecar.body import parsed
from sluice_sidecar.cache.fingerprint import fingerprint
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.route.reply import Attempt

ROUNDS = 20_000


def stages(_: int) -> dict[str, Any]:
    """The scenario. `route` is everything from the router to the client's `send` and back, the wire left out."""
    return uvloop.run(_stages())


async def _stages() -> dict[str, Any]:
    gateway = Gateway(GatewayOptions(credentials=Credentials(KEYS), allow_loopback=True, access_log=False))
    await gateway.start()
    await gateway.swap(config("http://127.0.0.1:9/v1", cache=True))
    raw = orjson.dumps(ask())
    headers = {b"authorization": b"Bearer bench-key", b"content-type": b"application/json", b"host": b"bench"}
    serving, cache = gateway.serving, gateway.cache
    assert cache is not None
    caller, _ = serving.callers.authenticate(headers, time.time())
    served = serving.by_model["auto"]
    policy = served.policy
    assert policy is not None
    request = OPENAI_CHAT.parse(raw, parsed(raw, headers))
    print_ = fingerprint(request, served.route, policy, caller)
    usage = Usage(190, 0, 88)
    await cache.put(print_, policy, caller, whole=ANSWER, usage=usage, backend="mock", took=0.5)

    def settle() -> None:
        decision = Decision("0" * 16, time.time(), "main", "auto", "team", "openai_chat", cache="miss")
        decision.backend, decision.usage, decision.latency = "mock", usage, 0.5
        decision.attempts = (Attempt("mock", 200, 0.5, None, usage),)
        gateway.settled(decision, served, request)

    found = {
        "authenticate": _micros(lambda: serving.callers.authenticate(headers, 1.0)),
        "parse": _micros(lambda: OPENAI_CHAT.parse(raw, parsed(raw, headers))),
        "fingerprint": _micros(lambda: fingerprint(request, served.route, policy, caller)),
        "lookup": _micros(lambda: cache.identical(print_, policy)),
        "route": await _route(gateway, request, caller),
        "ledger and metrics": _micros(settle),
    }
    await gateway.drain()
    return {"microseconds": found, "sum": round(sum(found.values()), 1)}


def _micros(work: Callable[[], object]) -> float:
    return round(min(timeit.repeat(work, number=ROUNDS, repeat=3)) / ROUNDS * 1e6, 2)


class _Answered:
    """A client whose upstream has always answered already."""

    def __init__(self) -> None:
        self.status, self.body = 200, orjson.dumps(ANSWER)
        self.headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]

    async def send(self, *_: object) -> "_Answered":
        return self

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)

    async def read(self, _: int) -> bytes:
        return self.body

    def abort(self) -> None:
        return

    async def close(self) -> None:
        return


async def _route(gateway: Gateway, request: Ask, caller: Caller) -> float:
    router = gateway.serving.by_model["auto"].router
    real, gateway.courier.client = gateway.courier.client, _Answered()  # type: ignore[assignment]
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(ROUNDS // 4):
            await router.answer(request, caller)
        best = min(best, (time.perf_counter() - start) / (ROUNDS // 4) * 1e6)
    gateway.courier.client = real
    await asyncio.sleep(0)
    return round(best, 2)
