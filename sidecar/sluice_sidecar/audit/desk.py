"""Looks at what went through a gateway's prompt rules, once a second and off the requests' path."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sluice_sidecar.audit.governance import Governed, Passage, Ring
from sluice_sidecar.audit.guard import Watch, answered, wrong
from sluice_sidecar.audit.inventory import Inventory, Note
from sluice_sidecar.audit.model import digest
from sluice_sidecar.audit.prompts import prompts
from sluice_sidecar.audit.records import Records, Row
from sluice_sidecar.audit.samples import Reservoir
from sluice_sidecar.audit.tokens import Tokens
from sluice_sidecar.config import Backend, Config, Rewrite, Route
from sluice_sidecar.ledger.decision import PICO
from sluice_sidecar.telemetry import SEPARATOR, Snapshot

EVERY = 1.0
WRITES = 10
"""Rounds after which what is known is written."""
FILE = "prompts.sqlite"
TEXTS, PATIENCE = 16, 5.0
"""Texts that are counted exactly in one round, and seconds that it may take."""

log = logging.getLogger("sluice.audit")


class Desk:
    """Inventory, samples and guards of one process. `data` None: nothing outlives it, and no request is kept."""

    def __init__(self, data: Path | None, tokens: Tokens, *, worker: int = 0, workers: int = 1) -> None:
        self._data, self._tokens, self._worker, self._workers = data, tokens, worker, workers
        self._ring = Ring()
        self._inventory = Inventory()
        self._governed: dict[str, Governed] = {}
        self._watches: dict[tuple[str, str], Watch] = {}
        self._stopped: dict[tuple[str, str], float] = {}
        """(route, mark of the rewrite) -> when."""
        self._drifts: dict[str, int] = {}
        self._records: Records | None = None
        self._reservoirs: dict[str, Reservoir] = {}
        self._unknown: dict[tuple[str, str], tuple[Backend, str]] = {}
        self._busy = asyncio.Lock()
        self._open()

    def governed(self, route: Route) -> Governed | None:
        """The rules of a route; None where it has none."""
        if route.prompt is None and route.audit is None:
            return None
        backend = route.backends[route.reference]
        made = Governed(route, self._ring, lambda text: self._tokens.count(backend, text))
        before = self._governed.get(route.name)
        if before is not None:
            made.tally = before.tally
        rewrites = () if route.prompt is None else route.prompt.rewrites
        made.stopped.update(one.name for one in rewrites if (route.name, _mark(one)) in self._stopped)
        self._governed[route.name] = made
        return made

    async def use(self, config: Config) -> None:
        """Takes the Config that is served from now on: what is not sampled any more is erased."""
        async with self._busy:
            await asyncio.to_thread(self._sample, config)

    async def run(self) -> None:
        """Looks once a second, until it is cancelled."""
        rounds = 0
        while True:
            await asyncio.sleep(EVERY)
            rounds += 1
            try:
                await self.look(write=rounds % WRITES == 0)
                await self._learn()
            except Exception:  # the gateway serves on; what was seen in this second is lost to the inventory
                log.exception("prompts could not be looked at")

    async def look(self, *, write: bool = False) -> None:
        """Takes in all that went through since the last look."""
        async with self._busy:
            await asyncio.to_thread(self._look, self._ring.taken(), write)

    async def close(self) -> None:
        """Takes in the rest and writes it."""
        await self.look(write=True)
        if self._records is not None:
            self._records.close()
            self._records = None

    async def shown(self) -> Mapping[str, Any]:
        """What GET /-/prompts answers."""
        async with self._busy:  # nothing changes it meanwhile
            return await asyncio.to_thread(self._shown)

    def _shown(self) -> dict[str, Any]:
        return {
            "prompts": self._inventory.shown(),
            "drift": [
                {"route": one.route, "template": one.template, "digest": one.digest, "at": one.at,
                 "sections": list(one.sections)} for one in reversed(self._inventory.drifts)
            ],
            "rewrites": [
                {
                    "route": name,
                    "name": one.name,
                    "percent": one.percent,
                    "stopped": self._stopped.get((name, _mark(one))),
                    **self._watch(name, one).shown(),
                }
                for name, governed in sorted(self._governed.items())
                for one in (governed.route.prompt.rewrites if governed.route.prompt else ())
            ],
            "not_looked_at": self._ring.lost,
        }  # fmt: skip

    def families(self) -> Snapshot:
        """The metrics' numbers."""
        counts = {
            SEPARATOR.join((name, result)): [float(count)]
            for name, one in self._governed.items()
            for result, count in (
                ("rewritten", one.tally.rewritten), ("over_budget", one.tally.over), ("rejected", one.tally.rejected)
            )
        }  # fmt: skip
        stopped = {
            SEPARATOR.join((name, rewrite)): [1.0]
            for name, one in self._governed.items()
            for rewrite in sorted(one.stopped)
        }
        drifts = {route: [float(count)] for route, count in list(self._drifts.items())}
        return {"prompts": counts, "prompt_stops": stopped, "prompt_drifts": drifts}

    async def _learn(self) -> None:
        """Has some texts counted that no tokenizer has counted yet; the others when they come again."""
        unknown, self._unknown = list(self._unknown.values())[:TEXTS], {}
        try:
            async with asyncio.timeout(PATIENCE):
                for backend, text in unknown:
                    await self._tokens.learn(backend, text)
        except TimeoutError:
            return

    # In a thread

    def _open(self) -> None:
        if self._data is None:
            return
        try:
            self._records = Records(self._data / "audit" / FILE, self._worker)
            rows = self._records.rows()
        except (OSError, sqlite3.Error) as error:
            log.warning("%s cannot be used, so prompts are counted anew and none is sampled: %s", FILE, error)
            self._records = None
            return
        self._inventory.restore((what, data, route) for what, route, _, data in rows)
        self._stopped = self._records.stops()

    def _sample(self, config: Config) -> None:
        audited = {name: route.audit for name, route in config.routes.items() if route.audit is not None}
        self._inventory.redact = {name: settings.redact for name, settings in audited.items()}
        self._governed = {name: one for name, one in self._governed.items() if name in config.routes}
        if self._records is None:
            return
        try:
            self._records.only(audited)
            self._reservoirs = {
                name: Reservoir(name, settings, self._records, share=self._workers)
                for name, settings in audited.items()
            }
        except sqlite3.Error as error:
            log.warning("samples cannot be kept in %s: %s", FILE, error)
            self._reservoirs = {}

    def _look(self, passages: Sequence[Passage], write: bool) -> None:
        notes = [note for passage in passages for note in self._notes(passage)]
        for drift in self._inventory.add(notes):
            self._drifts[drift.route] = self._drifts.get(drift.route, 0) + 1
            log.warning(
                "a system prompt on route %s has changed: %s", drift.route, "; ".join(drift.sections) or "a part went"
            )
        for passage in passages:
            self._judge(passage)
        if self._records is None:
            return
        try:
            for passage in passages:
                self._offer(passage)
            if write:
                self._records.replace([*self._inventory.plain(), *self._stops()])
                for (route, mark), at in self._records.stops().items():  # other workers' too
                    self._stop(route, mark, at)
                gone = set(self._records.forget(time.time()))
                for reservoir in self._reservoirs.values():
                    reservoir.forget(gone)
        except (OSError, sqlite3.Error) as error:
            log.warning("prompts cannot be written to %s: %s", FILE, error)

    def _notes(self, passage: Passage) -> list[Note]:
        decision, route = passage.decision, passage.route
        if decision is None:
            return []
        self._inventory.spent(route.name, decision.cost)
        backend = route.backends[route.reference] if passage.reply is None else passage.reply.backend
        notes = []
        for text in prompts(passage.before):
            count = self._tokens.count(backend, text)
            if not count.exact:
                self._unknown.setdefault((backend.name, digest(text)), (backend, text))
            spend, usage = 0, decision.usage
            if passage.reply is not None and backend.price is not None and usage is not None:
                cached = count.tokens * usage.cached // usage.prompt if usage.prompt else 0
                spend = int(backend.price.cost(count.tokens, cached, 0) * PICO)
            notes.append(
                Note(route.name, text, passage.tenant, decision.at, count.tokens, count.exact, spend, decision.cost)
            )
        return notes

    def _judge(self, passage: Passage) -> None:
        rules, concerned = passage.route.prompt, {*passage.names, *passage.without}
        bad = wrong(passage) if concerned else None
        if bad is None or rules is None:
            return
        for one in rules.rewrites:
            mark = _mark(one)
            if one.name not in concerned or not 0 < one.percent < 100 or (passage.route.name, mark) in self._stopped:
                continue
            watch = self._watch(passage.route.name, one)
            watch.take(with_it=one.name in passage.names, wrong=bad)
            if watch.harmful:
                self._stop(passage.route.name, mark, time.time())
                passage.stopped.add(one.name)  # of a configuration that may be on its way out
                log.warning(
                    "rewrite %s on route %s is stopped: %d of %d answers went wrong with it, %d of %d without",
                    one.name, passage.route.name, watch.wrong[True], watch.answers[True],
                    watch.wrong[False], watch.answers[False],
                )  # fmt: skip

    def _stop(self, route: str, mark: str, at: float) -> None:
        self._stopped.setdefault((route, mark), at)
        governed = self._governed.get(route)
        if governed is not None and governed.route.prompt is not None:
            governed.stopped.update(one.name for one in governed.route.prompt.rewrites if _mark(one) == mark)

    def _watch(self, route: str, rewrite: Rewrite) -> Watch:
        return self._watches.setdefault((route, _mark(rewrite)), Watch())

    def _offer(self, passage: Passage) -> None:
        reservoir = self._reservoirs.get(passage.route.name)
        decision = passage.decision
        if reservoir is None or decision is None or not decision.ok:
            return
        whole = answered(passage)
        # What was answered to the shorter prompt is no answer under the prompt that the sample names.
        if whole is not None and not passage.names and passage.ask.dialect.finish(whole) == "complete":
            reservoir.offer(passage, passage.ask.dialect.answer_text(whole))

    def _stops(self) -> list[Row]:
        return [("stopped", route, name, {"at": at}) for (route, name), at in self._stopped.items()]


def _mark(rewrite: Rewrite) -> str:
    """Tells a rewrite from others, also from one of the same name with another wording; its share may change."""
    return digest(rewrite.model_copy(update={"percent": 0.0}).model_dump_json())
