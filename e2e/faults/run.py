"""One run: callers at work on a real `sluice run` while its processes are killed, and the history that comes of it."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from doubles.running import Sluice, alive, route, start, until
from doubles.scripted import Scripted
from e2e.faults.callers import PATIENCE, Callers, answered
from e2e.faults.check import RULES, Violation
from e2e.faults.history import Acknowledged, Asked, Event, History, Killed, Read, Told, Victim
from e2e.faults.upstream import SECRET, Receiver, numbered

WINDOW = """\
apiVersion: sluice.dev/v1alpha1
kind: BatchWindow
metadata: {name: day}
spec:
  always: true
  routes: [house, claude]
  webhooks:
    signingKey: {secret: hooks, key: key}
    allow: ["https://*.example.com"]
"""
AT_ONCE = 3
"""Submissions under way at one time."""
VICTIMS: tuple[Victim, ...] = ("gateway", "gateway", "supervisor", "both")
LONGEST = 1.0
"""Most seconds from a process that serves again, or begins to, until the next kill."""
READY = 0.75
"""Share of kills after which the next one waits until something serves; the others hit a start."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run saw: its history, the model's calls, seconds, and the bytes of its standard error."""

    history: History
    calls: int
    seconds: float


class _Fleet:
    """A `sluice run` in `folder` that is killed and started again."""

    def __init__(self, folder: Path, history: list[Event], chance: random.Random) -> None:
        self._folder, self._history, self._chance = folder, history, chance
        self._http = httpx.AsyncClient(trust_env=False)
        self.sluice: Sluice | None = None
        self.url = "http://127.0.0.1:9"
        """Of what serves now, or served last."""

    async def start(self) -> None:
        self.sluice = await start(self._folder, environ={"SLUICE_SECRET_HOOKS_KEY": SECRET})
        await self.sluice.read_banner()
        self.url = self.sluice.url

    async def kill(self, victim: Victim, *, ready: bool) -> None:
        """Kills it, and returns when a new process is there; `ready`: when that serves."""
        sluice = self.sluice
        assert sluice is not None  # it was started
        children = sluice.children()
        self._history.append(Killed(victim))
        if victim in ("gateway", "both"):
            for pid in children:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if victim == "gateway":
            await until(lambda: set(sluice.children()) - set(children), "a new gateway")
        else:
            sluice.process.kill()
            await self._gone(children)
            await self.start()
        if ready:
            await answered(lambda: self._http.get(self.url + "/v1/models"))

    async def stop(self) -> None:
        """Ends it as a user does."""
        await self._http.aclose()
        if self.sluice is not None and self.sluice.process.returncode is None:
            children = self.sluice.children()
            self.sluice.process.send_signal(signal.SIGTERM)
            await self.sluice.ends()
            await self._gone(children)

    async def _gone(self, children: list[int]) -> None:
        assert self.sluice is not None
        await self.sluice.process.wait()
        await self.sluice.client.aclose()
        await until(lambda: not any(map(alive, children)), f"its processes are gone: {children}")


async def run(folder: Path, *, seed: int, kills: int, seconds: float) -> Ran:
    """Kills processes `kills` times, or as often as `seconds` allow; then waits for all that was acknowledged.

    Raises TimeoutError, AssertionError where the processes do not come back.
    """
    history: list[Event] = []
    chance, began = random.Random(seed), time.monotonic()
    async with Scripted() as up, Receiver(history) as receiver:
        up.otherwise(numbered(up))
        other = route(up.url, "claude", model="claude").replace("OpenAI", "Anthropic")
        (folder / "kinds.yaml").write_text(route(up.url) + other + WINDOW)
        fleet = _Fleet(folder, history, chance)
        callers = Callers(lambda: fleet.url, history, random.Random(seed + 1), receiver.url)
        over = asyncio.Event()
        try:
            await fleet.start()
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(_submitting(callers, over))
                group.create_task(_reading(callers, over, random.Random(seed + 2)))
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(0.0, LONGEST))
                    if time.monotonic() - began > seconds:
                        break
                    await fleet.kill(chance.choice(VICTIMS), ready=chance.random() < READY)
                over.set()
            for id_ in list(callers.acknowledged):
                await callers.results(id_, wait=True)
            wanted = {id_ for id_, asked in callers.acknowledged.items() if asked.told}
            with suppress(TimeoutError):  # the check says which did not come
                async with asyncio.timeout(PATIENCE):
                    while wanted - receiver.batches:
                        await asyncio.sleep(0.05)
            await fleet.kill("both", ready=True)
            for id_ in callers.acknowledged:
                await callers.results(id_, wait=True)
        finally:
            await callers.close()
            await fleet.stop()
        return Ran(tuple(history), up.count, time.monotonic() - began)


async def _submitting(callers: Callers, over: asyncio.Event) -> None:
    while not over.is_set():
        await callers.submit(callers.generate())
        await asyncio.sleep(0.1)


async def _reading(callers: Callers, over: asyncio.Event, chance: random.Random) -> None:
    """Fetches results in between, so that a later result which differs is seen."""
    while not over.is_set():
        if callers.acknowledged:
            await callers.results(chance.choice(list(callers.acknowledged)), wait=False)
        await asyncio.sleep(0.05)


def summary(ran: Ran, found: list[Violation]) -> dict[str, Any]:
    """A run in figures."""
    of = {one.key: one for one in ran.history if isinstance(one, Asked)}
    keys = {one.key for one in ran.history if isinstance(one, Acknowledged)}
    acknowledged = [of[key] for key in keys]
    requests = sum(len(one.asks) for one in acknowledged)
    return {
        "kills": dict(Counter(one.victim for one in ran.history if isinstance(one, Killed))),
        "submissions": dict(Counter(one.wire for one in acknowledged)),
        "requests": requests,
        "calls": ran.calls,
        "repeated_acknowledgements": sum(isinstance(one, Acknowledged) for one in ran.history) - len(keys),
        "results_fetched": sum(isinstance(one, Read) for one in ran.history),
        "webhooks": sum(one.told for one in acknowledged),
        "webhook_deliveries": sum(isinstance(one, Told) for one in ran.history),
        "violations": {rule: sum(one.rule == rule for one in found) for rule in RULES},
        "seconds": round(ran.seconds, 1),
    }  # fmt: skip


def written(history: History) -> bytes:
    """A history as lines of JSON."""
    return b"".join(orjson.dumps({"event": type(one).__name__, **asdict(one)}) + b"\n" for one in history)
