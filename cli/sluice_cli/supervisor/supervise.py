"""`sluice run`, readable top to bottom: claim, bind, spawn, compile, tell, watch, drain."""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice_cli.supervisor import sources
from sluice_cli.supervisor.data_dir import DataDir, claim, write
from sluice_cli.supervisor.listen import listen, url
from sluice_cli.supervisor.models import Models
from sluice_cli.supervisor.options import RunOptions
from sluice_cli.supervisor.workers import Workers

if TYPE_CHECKING:
    from sluice_cli.supervisor.wanted import Wanted

SECOND_LOOK = 0.2
"""Seconds after which a file that is gone or empty is believed to be: editors save by way of both."""

SAME_ORDER = 0.5
"""Seconds in which a second signal is the first one again: `timeout` and shells signal the process and its group."""

HURRY = 3.0
"""Seconds that a gateway has after the second signal to save what it knows."""

SLACK = 5.0
"""Seconds beyond the Config's own drain after which a worker is killed."""


def say(text: str) -> None:
    """Tells the user something, on standard error with the time."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def run(options: RunOptions) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status. Raises DataDirError and ListenError."""
    data = claim(options.data)
    try:
        with (
            listen(options.host, options.port, "--port") as port,
            listen(options.admin_host, options.admin_port, "--admin-port") as admin,
        ):
            supervisor = Supervisor(options, data, url(port), url(admin))

            def close() -> None:
                port.close()
                admin.close()

            return asyncio.run(supervisor.run((port.fileno(), admin.fileno()), close))
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # everything has stopped: one more order changes nothing
        data.close()


class Supervisor:
    """Keeps the gateways and models running, and tells them what the files say."""

    def __init__(self, options: RunOptions, data: DataDir, address: str, admin: str) -> None:
        self._options, self._data = options, data
        self._address, self._admin = address, admin
        self._stop, self._force, self._changed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._wanted: Wanted | None = None
        self._asked = 0.0
        self._told: bytes | None = None
        self._complaint: str | None = None
        self._bidden = False  # by SIGHUP: whoever asks gets an answer
        self._models = Models(say, self._tell_endpoints)

    async def run(self, fds: tuple[int, int], close_sockets: Callable[[], None]) -> int:
        """One run from the first process to the last."""
        self._hear_signals()
        options = self._options
        seen = sources.seen(self._watched)
        workers = Workers(self._data, fds, options.workers, options.env_file, say)  # they import while we compile
        try:
            await asyncio.sleep(0)
            wanted = await asyncio.to_thread(self._compile)
            if wanted.errors:
                sys.stderr.write("".join(f"{line}\n" for line in (*wanted.errors, *wanted.warnings)))
                return 1
            for line in wanted.warnings:
                say(f"warning: {line}")
            self._adopt(wanted)
            if not await self._until_stop(workers.ready()):
                if not self._stop.is_set():
                    say("the gateway cannot start: see above")
                    return 1
                return 0
            self._greet(wanted)
            await self._serve(workers, seen)
            return 0
        finally:
            close_sockets()
            await self._end(workers)

    @property
    def _watched(self) -> tuple[Path, ...]:
        return (*self._options.files, self._options.env_file)

    def _compile(self) -> "Wanted":
        from sluice_cli.supervisor.wanted import wanted  # it takes a third of a second: the workers come first

        return wanted(self._options.files, self._options.env_file, models=self._options.models)

    def _adopt(self, wanted: "Wanted") -> None:
        """Tells the gateways and starts what is new."""
        write(self._data.config, wanted.config.to_json())
        self._wanted = wanted
        self._models.want(wanted.models, wanted.elsewhere)

    def _tell_endpoints(self) -> None:
        from sluice_sidecar.config import Endpoints, canonical

        endpoints = Endpoints(models=self._models.addresses, unavailable=self._models.problems)
        content = canonical(endpoints.model_dump(mode="json"))
        if content != self._told:
            write(self._data.endpoints, content)
            self._told = content

    def _greet(self, wanted: "Wanted") -> None:
        from sluice_cli.supervisor.banner import banner

        waiting = sorted(set(wanted.models) - set(self._models.addresses) - set(self._models.problems))
        text = banner(wanted.config, self._address, self._admin, self._data.path, waiting, self._models.problems)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        if self._options.host not in {"127.0.0.1", "::1", "localhost"} and wanted.config.gateway.keys_secret is None:
            say(f"warning: whoever reaches {self._options.host} may use this gateway and its credentials; set API keys")

    async def _serve(self, workers: Workers, seen: sources.Seen) -> None:
        """Watches the files until told to stop."""
        loop = asyncio.get_running_loop()
        done = threading.Event()

        def notify() -> None:
            loop.call_soon_threadsafe(self._changed.set)

        watching = asyncio.create_task(asyncio.to_thread(sources.watch, self._watched, seen, notify, done))
        try:
            while not self._stop.is_set():
                await self._until_stop(self._changed.wait())
                if self._changed.is_set() and not self._stop.is_set():
                    self._changed.clear()
                    await self._reload(workers)
        finally:
            done.set()
            await watching

    async def _reload(self, workers: Workers) -> None:
        """Reads the files again; what is wrong is told, and what was served stays."""
        began = time.monotonic()
        if sources.missing_or_empty(sources.seen(self._options.files)):
            await asyncio.sleep(SECOND_LOOK)
        wanted = await asyncio.to_thread(self._compile)
        if wanted.errors:
            complaint = "\n".join(wanted.errors)
            if complaint != self._complaint or self._bidden:
                say(f"refused, what was served before stays:\n{complaint}")
            self._bidden, self._complaint = False, complaint
            return
        answer = self._bidden or self._complaint is not None
        self._bidden, self._complaint = False, None
        before = self._wanted
        for line in wanted.warnings:
            if before is None or line not in before.warnings:
                say(f"warning: {line}")
        if before is not None and wanted.same(before):
            if answer:
                say("the files are valid, and nothing differs from what is served")
            self._wanted = wanted
            return
        workers.forget_refusals()
        self._adopt(wanted)
        if await workers.serving(wanted.config.digest, 10.0):
            say(f"applied in {(time.monotonic() - began) * 1000:.0f} ms: {_difference(before, wanted)}")
        else:
            say("written, but not every gateway serves it yet")

    async def _end(self, workers: Workers) -> None:
        """Gateways first, models after: what is open may still need them."""
        seconds = self._wanted.config.gateway.drain if self._wanted is not None else 0.0
        ending = asyncio.create_task(self._drain(workers, seconds))
        forced = asyncio.create_task(self._force.wait())
        await asyncio.wait({ending, forced}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            say("stopping at once")
            workers.hurry()
            await asyncio.wait({ending}, timeout=HURRY)
            workers.kill()
            self._models.kill()
        forced.cancel()
        await ending

    async def _drain(self, workers: Workers, seconds: float) -> None:
        await workers.stop(seconds + SLACK)
        await self._models.stop()

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._told_to_reload)

    def _told_to_reload(self) -> None:
        self._bidden = True
        self._changed.set()

    def _told_to_stop(self) -> None:
        now = time.monotonic()
        if self._stop.is_set():
            if now - self._asked > SAME_ORDER:
                self._force.set()
            return
        self._asked = now
        self._stop.set()
        if self._wanted is not None:
            say("stopping: open requests may end; once more stops at once")

    async def _until_stop(self, work: Coroutine[Any, Any, bool]) -> bool:
        """The result of `work`; False when told to stop before."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            return task.result()
        task.cancel()
        return False


def _difference(before: "Wanted | None", now: "Wanted") -> str:
    """Which routes, policies and models are another."""
    if before is None:
        return "all"
    pairs: tuple[tuple[str, Mapping[str, object], Mapping[str, object]], ...] = (
        ("route", _digests(before, "routes"), _digests(now, "routes")),
        ("policy", _digests(before, "policies"), _digests(now, "policies")),
        ("model", before.models, now.models),
    )
    parts = []
    for what, old, new in pairs:
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                how = "new" if name not in old else "gone" if name not in new else "changed"
                parts.append(f"{what} {name} {how}")
    return ", ".join(parts) or "the gateway's settings changed"


def _digests(wanted: "Wanted", sections: str) -> dict[str, object]:
    return {name: section.digest for name, section in getattr(wanted.config, sections).items()}
