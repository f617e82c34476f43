"""What every request cost, and what it would have cost and taken without Sluice.

`record` runs in the request's path: plain integers, no lock, no I/O. Once a second what changed goes to SQLite in a
thread of its own; so a killed process loses at most its last second. A disk that refuses costs persistence, never a
request.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Route
from sluice_sidecar.ledger.counterfactual import Counterfactual, Fit, identity
from sluice_sidecar.ledger.decision import Attempt, Decision, Reference, Spent, plain, text
from sluice_sidecar.ledger.flush import RING, Flusher, Memory
from sluice_sidecar.ledger.savings import DAY, FOLDED, Key, Row, savings
from sluice_sidecar.ledger.store import LedgerStore

if TYPE_CHECKING:
    from sluice_sidecar.ledger.shared import SharedTotals

CHARS_PER_TOKEN = 4
"""For text in English; only where an upstream tells no usage, and then marked as an estimate."""


class Ledger:
    """One worker's ledger. `data` is the folder of `ledger.sqlite`; None keeps all in memory.

    With several workers on one folder, each writes its own rows and reads the others', at most a second old.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        worker: int = 0,
        workers: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._memory = memory = Memory()
        self._rows, self._unsaved = memory.rows, memory.unsaved
        self._ring: deque[Decision] = deque(maxlen=RING)
        self._books: dict[str, tuple[Route, Counterfactual]] = {}
        self._flusher: Flusher | None = None
        self._shared: SharedTotals | None = None
        if data is not None:
            store = LedgerStore(data / "ledger.sqlite", worker)
            self._flusher = Flusher(store, memory, shared=workers > 1, clock=clock)

    # The request's path.

    def record(self, decision: Decision, route: Route | None) -> None:
        """Fills in what `decision` cost and saved, and counts it. `route` None: the request found no route."""
        book = None if route is None else self._book(route)
        usage = decision.usage
        ok = decision.ok
        if usage is None or not (usage.prompt or usage.completion):
            usage = None
            if ok or decision.attempts:
                usage = Usage(
                    -(-decision.prompt_chars // CHARS_PER_TOKEN), 0, -(-decision.answer_chars // CHARS_PER_TOKEN)
                )
        measured = None
        reference: Reference | None = None
        spent: Sequence[Spent] = ()
        if book is not None:
            if decision.attempts:
                spent, guessed, measured = book.charge(decision.attempts, usage)
                decision.spent = spent
                decision.estimated = guessed
            if ok:
                by_reference = decision.backend == book.backend
                reference = book.reference(
                    usage or Usage(),
                    measured=measured if by_reference else None,
                    original=decision.took if by_reference else None,
                )
                if reference.latency is None and decision.took is not None:
                    reference.latency, reference.basis = decision.took, "original"
                decision.reference = reference
                decision.currency = reference.currency
        if decision.usage is not usage and usage is not None and (ok or spent):
            decision.usage, decision.estimated = usage, True
        if spent:
            currency = decision.currency = decision.currency or spent[0].currency
            cost = 0
            for part in spent:
                if part.currency == currency:
                    cost += part.cost
            decision.cost = cost
        decision.saved = (0 if reference is None else reference.cost) - decision.cost
        row = self._row(decision.at, decision.route, decision.backend, decision.cache, decision.currency)
        row.add(decision)
        if spent:
            self._pay(row, spent, decision)
        self._ring.append(decision)
        self._unsaved.append(decision)

    def spend(self, route: Route, attempts: Sequence[Attempt], why: str) -> Sequence[Spent]:
        """Counts calls that no caller waited for (`why`: "revalidate", "mirror"): they cost, and teach the fit."""
        spent, _, _ = self._book(route).charge(attempts, None)
        for part in spent:
            row = self._row(self._clock(), route.name, part.backend, why, part.currency)
            row.cost += part.cost
            row.dirty = True
            _bought(row, part.usage)
        return spent

    def reference(self, route: Route, usage: Usage) -> Reference:
        """What the route's reference backend would have cost and taken for `usage`."""
        return self._book(route).reference(usage)

    def _book(self, route: Route) -> Counterfactual:
        known = self._books.get(route.name)
        if known is not None and known[0] is route:
            return known[1]
        name = identity(route.name, route.backends[route.reference])
        book = Counterfactual(route, self._memory.fits.setdefault(name, Fit()))
        self._books[route.name] = (route, book)
        return book

    def _pay(self, row: Row, spent: Sequence[Spent], decision: Decision) -> None:
        for part in spent:
            _bought(row, part.usage)
            if part.cost and part.currency != decision.currency:
                foreign = self._row(decision.at, decision.route, decision.backend, decision.cache, part.currency)
                foreign.cost += part.cost
                foreign.dirty = True

    def _row(self, at: float, route: str, backend: str, cache: str, currency: str) -> Row:
        key = (max(int(at // DAY), self._memory.horizon), route, backend, cache, currency)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row()
        return row

    # What others read.

    def recent(self, n: int = 100) -> list[dict[str, Any]]:
        """The newest `n` decisions of all workers as JSON-able dicts, newest first; no prompt and no answer in them."""
        ring = self._ring
        mine = [plain(ring[-i]) for i in range(1, min(n, len(ring)) + 1)]
        if not self._memory.earlier:
            return mine
        seen = {found["id"] for found in mine}
        found = mine + [other for other in self._memory.earlier if other["id"] not in seen]
        return sorted(found, key=lambda one: -float(one["at"]))[:n]

    def totals(self) -> list[dict[str, Any]]:
        """Totals of all workers by day, route, backend, cache kind, currency; money as exact strings, days in ISO."""
        found: dict[Key, Row] = {}
        for key, row in self._everywhere():
            found.setdefault(key, Row()).merge(row)
        return [
            {
                **key._asdict(),
                "day": "earlier" if key.day == FOLDED else time.strftime("%Y-%m-%d", time.gmtime(key.day * DAY)),
                **row.plain(),
                "cost": text(row.cost),
                "reference_cost": text(row.reference_cost),
                "saved": text(row.reference_cost - row.cost),
            }
            for key, row in sorted(found.items())
        ]

    def savings(self) -> dict[str, Any]:
        """The report over all workers, and over all gateways that share their totals (see `savings.savings`), with what
        each reference looks like. `shared` None: totals are this gateway's own."""
        report = savings(self._everywhere())
        shared = self._shared
        report["shared"] = None if shared is None else {"gateways": shared.replicas + 1, "trouble": shared.trouble}
        report["at"] = self._clock()
        report["persistent"] = self._flusher is not None and self._flusher.trouble is None
        report["references"] = {name: _described(book) for name, (_, book) in sorted(self._books.items())}
        return report

    def rows(self) -> list[tuple[Key, Row]]:
        """Every total of this gateway's workers, as it is now."""
        return self._all()

    def _all(self) -> list[tuple[Key, Row]]:
        return [(Key(*key), row) for key, row in self._rows.items()] + self._memory.others

    def own(self) -> list[tuple[tuple[int, str, str, str, str], Row]]:
        """Every total of this worker."""
        return list(self._rows.items())

    def _everywhere(self) -> list[tuple[Key, Row]]:
        return self._all() if self._shared is None else [*self._all(), *self._shared.others]

    # Sharing with other gateways.

    async def share(self, shared: "SharedTotals | None") -> None:
        """Shares totals by `shared` from now on, not started before; None: no longer."""
        before, self._shared = self._shared, shared
        if before is not None:
            await before.close()
        if shared is not None:
            shared.start()

    async def gather(self) -> None:
        """Reads what other gateways counted, where totals are shared; takes a second at most, and raises nothing."""
        if self._shared is not None:
            await self._shared.read()

    # Persistence.

    async def start(self) -> None:
        """Reads what earlier runs left and begins to write each second. No disk trouble is raised, only warned of."""
        if self._flusher is not None:
            await self._flusher.start()

    async def flush(self) -> None:
        """Writes what changed since the last write."""
        if self._flusher is not None:
            await self._flusher.flush()

    async def close(self) -> None:
        """Writes the rest and lets go of the file, and of what is shared."""
        await self.share(None)
        if self._flusher is not None:
            await self._flusher.close()


def _bought(row: Row, usage: Usage) -> None:
    row.bought_prompt += usage.prompt
    row.bought_cached += usage.cached
    row.bought_completion += usage.completion


def _described(book: Counterfactual) -> dict[str, Any]:
    empty, prompt, completion = book.fit.slopes
    return {
        "backend": book.backend,
        "priced": book.backend in book.prices,
        "calls": round(book.fit.weight),
        "seconds": empty,
        "seconds_per_prompt_token": prompt,
        "seconds_per_answer_token": completion,
    }
