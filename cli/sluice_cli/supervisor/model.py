"""One model of a run: its weights found or rewritten, its process started, watched and started again."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sluice_cli.model_sources import Source, SourceError, cache_folder, check_engine, locate, rewritten
from sluice_cli.supervisor.health import answers, idle, processor_time
from sluice_cli.supervisor.processes import Backoff, Child, Command, Exit, once

Say = Callable[[str], None]
"""Tells the user one thing."""

Changed = Callable[[], None]

HEALTH_SECONDS = 2.0
"""Between two health checks, and the time that each may take."""

HUNG_SECONDS = 20.0
"""A model that neither answers its health check nor uses a processor for so long is started again."""

RETRY_SECONDS = 10.0
"""Between two looks for weights or packages that were missing."""

STOP_SECONDS = 10.0
"""Grace of a stopping model process."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model process serves. `slots` sequences at a time, each with `context` tokens; `threads` 0: all."""

    name: str
    source: Source
    method: str = "None"
    context: int = 2048
    slots: int = 4
    threads: int = 0
    kv_cache: str = "f16"
    prefix_cache: bool = True
    ngram: int = 0
    draft: int = 5

    def arguments(self, weights: Path, parent: int) -> tuple[str, ...]:
        """The model process's command line, after the interpreter."""
        return (
            *("-m", "sluice_cli.llama_serve", "--model", str(weights), "--alias", self.name, "--parent", str(parent)),
            *("--slots", str(self.slots), "--context", str(self.context), "--threads", str(self.threads)),
            *("--kv-cache", self.kv_cache, "--ngram", str(self.ngram), "--draft", str(self.draft)),
            *(() if self.prefix_cache else ("--no-prefix-cache",)),
        )


class Model:
    """One model: its weights prepared, its process kept running, its state told by `changed`."""

    def __init__(self, spec: ModelSpec, say: Say, changed: Changed) -> None:
        self.spec = spec
        self.url: str | None = None
        self.problem: str | None = None
        self._say, self._changed = say, changed
        self._child: Child | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def pid(self) -> int | None:
        """The process that serves it now."""
        return None if self._child is None else self._child.pid

    async def stop(self, drain: float = 0.0) -> None:
        """Waits up to `drain` seconds for what it was asked, then ends it; nothing of it is left afterwards."""
        if drain and self.url is not None:
            await idle(self.url, drain)
        self._set(None, self.problem)
        if self._child is not None:
            await self._child.stop(STOP_SECONDS)
        self._task.cancel()
        await asyncio.wait({self._task})

    def kill(self) -> None:
        """Ends the process now."""
        if self._child is not None:
            self._child.kill()

    async def _run(self) -> None:
        weights = await self._weights()
        spec = self.spec
        argv = (sys.executable, *spec.arguments(weights, os.getpid()))
        command = Command(f"model {spec.name}", argv, keep_errors=True)
        backoff = Backoff(first=0.2)
        self._child = Child(command, on_line=self._line, on_exit=self._exit, backoff=backoff)
        health = asyncio.create_task(self._watch_health())
        try:
            await self._child.run()
        finally:
            health.cancel()

    async def _weights(self) -> Path:
        """The file to serve; asks again until it can be had, and says so once for each reason."""
        while True:
            try:
                kind = rewritten(self.spec.method)
                check_engine(rewrites=kind is not None)
                source = locate(self.spec.source)
                return source if kind is None else await self._rewrite(source, kind)
            except SourceError as problem:
                if str(problem) != self.problem:
                    self._say(f"model {self.spec.name} cannot start: {problem}")
                    self._set(None, str(problem))
                await asyncio.sleep(RETRY_SECONDS)

    async def _rewrite(self, source: Path, kind: str) -> Path:
        """The weights as another type, from the cache folder or made by a process of its own. Raises SourceError."""
        argv = (
            *(sys.executable, "-m", "sluice_cli.requantise", "--parent", str(os.getpid())),
            *("--source", str(source), "--type", kind, "--folder", str(cache_folder())),
        )
        status, out, errors = await once(argv)
        if status == 0 and out.startswith("READY "):
            return Path(out.removeprefix("READY ").strip())
        why = errors.strip().splitlines()[-1:] or [f"exit status {status}"]
        raise SourceError(f"cannot rewrite the weights to {kind}: {why[0]}")

    def _line(self, line: str) -> None:
        word, _, address = line.partition(" ")
        if word == "READY":
            self._set(address, None)
            self._say(f"model {self.spec.name} is ready")

    def _exit(self, end: Exit) -> None:
        self._set(None, None)
        lines = [line for line in end.tail if line.strip() and not line.startswith(("  ", "Traceback"))]
        told = "".join(f"\n    {line}" for line in lines[-3:])
        self._say(f"model {self.spec.name}: {end} after {end.lived:.0f} s, starting again in {end.wait:.1f} s{told}")

    def _set(self, url: str | None, problem: str | None) -> None:
        if (url, problem) != (self.url, self.problem):
            self.url, self.problem = url, problem
            self._changed()

    async def _watch_health(self) -> None:
        """Ends a hung process, so that it is started again. A busy one that answers late is left alone."""
        clock = asyncio.get_running_loop().time
        alive, used = clock(), None
        while True:
            await asyncio.sleep(HEALTH_SECONDS)
            url, pid = self.url, self.pid
            now = None if pid is None else processor_time(pid)
            if url is None or pid is None or now != used or await answers(url, "/health") is not None:
                alive, used = clock(), now
            elif clock() - alive > HUNG_SECONDS and self._child is not None:
                self._say(f"model {self.spec.name} hangs: neither answers nor works for {HUNG_SECONDS:.0f} s")
                self._child.kill()
                alive = clock()
