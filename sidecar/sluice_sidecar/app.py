"""The gateway of one process: its parts put together, its data port's ASGI app, and the swap of a Config."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sluice_sidecar import catalogue, feedback, intake, reusing
from sluice_sidecar.admin.admin import Admin
from sluice_sidecar.ask import Ask, Caller, Problem
from sluice_sidecar.batch import deferred, figures, service
from sluice_sidecar.batch.service import Batches
from sluice_sidecar.batch.stores.sharing import StoreSharing, lacking
from sluice_sidecar.batch.windows import Schedule
from sluice_sidecar.cache.flight import FlightError, Flights, Follower
from sluice_sidecar.cache.stores.store import StoreError
from sluice_sidecar.callers import Callers
from sluice_sidecar.config import Backend, Config, Egress, Endpoints, Policy, Reports, Route
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.registry import BY_PATH
from sluice_sidecar.embeddings import Embeddings, by_meaning
from sluice_sidecar.endpoints import EndpointsView, inside
from sluice_sidecar.exchange import Exchange
from sluice_sidecar.leave import Watches
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.ledger.sharing import Sharing
from sluice_sidecar.log import AccessLog
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.route.breaker import Breakers
from sluice_sidecar.route.budget import RetryBudgets
from sluice_sidecar.route.reply import Attempt, Reply
from sluice_sidecar.route.router import Router
from sluice_sidecar.serving import ServedRoute, Serving, build
from sluice_sidecar.telemetry import Snapshot, Telemetry, merge
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.courier import Courier
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.reach import reach
from sluice_sidecar.verification import Verification
from sluice_sidecar.wire import Receive, Scope, Send

if TYPE_CHECKING:
    from sluice_sidecar.audit.desk import Desk
    from sluice_sidecar.audit.governance import Governed
    from sluice_sidecar.cache.cache import Cache
    from sluice_sidecar.cache.embed import MiniLM, Vector
    from sluice_sidecar.storage import Storage

App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("sluice.gateway")


class Gateway:
    """Everything that one process serves with; parts that a Config does not use are never loaded."""

    def __init__(self, options: GatewayOptions) -> None:
        self.options = options
        self.serving = Serving(Config(), {}, {}, Callers(None, tenant=options.tenant), {})
        self.relay: App | None = None
        """Takes relayed calls, in the shared gateway of a cluster."""
        self.taking: App | None = None
        """Takes deferred requests that sidecars pass on, there too."""
        self.pass_on: App | None = None
        """Passes deferred requests on, in a sidecar, which keeps nothing."""
        self.listening = False
        """Whether the data port is open."""
        self.flights = Flights()
        self.watches = Watches()
        self.cache: Cache | None = None
        self.asking = 0
        """Callers who wait for an answer now."""
        self._batches = Batches(
            self, options.batches, Schedule.of, works=options.batches_run and options.worker == 0,
            alone=options.workers == 1 and not options.batches_shared, credentials=options.credentials,
            loopback=options.allow_loopback, bundle=options.ca_bundle,
            sharing=StoreSharing(options.credentials) if options.batches_shared else None,
        )  # fmt: skip
        self.ledger = Ledger(options.data, worker=options.worker, workers=options.workers)
        self._sharing = Sharing(self.ledger, options)
        self.admin = Admin(self, hosts=options.admin_hosts, started=lambda: self.listening)
        self._telemetry = Telemetry(options.worker)
        self._telemetry.cache_entries = self._cache_entries
        self._telemetry.reuse = self._reuse
        self._log = AccessLog(enabled=options.access_log)
        self._endpoints = EndpointsView()
        self._models = Endpoints()
        self._breakers = Breakers()
        self._telemetry.breakers = self._open_breakers
        self._trusted = set(options.trusted)
        self._egress = Egress()
        self._guard = self._reach(self._egress)
        self.courier = Courier(
            Client(self._guard), options.credentials, self._endpoints, self._breakers, RetryBudgets()
        )
        self._embedder: MiniLM | None = None
        self._embeddings = Embeddings(options.credentials)
        self._verification = Verification(options.credentials)
        self._storage: Storage | None = None
        self._desk: Desk | None = None
        self._served = self._draining = False
        self._chores: set[asyncio.Task[None]] = set()

    # Life

    async def start(self) -> None:
        """Opens what every Config needs."""
        await self.ledger.start()
        await self._log.start()
        await self._batches.start()

    def leave(self) -> None:
        """Is not ready from now on: a drain begins."""
        self._draining = True
        self._batches.leave()

    async def drain(self) -> None:
        """Ends background work, makes everything durable and closes; open requests are the listener's to drain."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._batches.stop()
        if self._desk is not None:
            await self._desk.close()
        await self.flights.close()
        if self.cache is not None:
            await self.cache.close()
        if self._embedder is not None:
            self._embedder.close()
        await self._embeddings.close()
        await self._verification.close()
        await self.courier.client.close()
        await self.ledger.close()
        await self._log.close()

    async def swap(self, config: Config) -> Mapping[str, str]:
        """Serves `config` from the next request on; open requests end on the old one.

        Returns what of it is refused, and why. Raises ValueError when it is refused as a whole: the old one stays.
        """
        egress = config.gateway.egress
        try:
            guard = self._guard if egress == self._egress else self._reach(egress)
            guard.trust.reload()
            serving = build(
                config, self.options.credentials, self._router, tenant=self.options.tenant, governed=self._prompts
            )
        except ValueError:
            self._telemetry.reloaded("refused")
            raise
        self._guard = guard
        await self._equip(config)
        await self._sharing.use(config.gateway.state, guard)
        if self._desk is not None:
            await self._desk.use(config)
        old, self.serving = self.serving, serving
        self._trust()
        if egress != self._egress:
            self._egress = egress
            retired, self.courier.client = self.courier.client, Client(self._guard)
            self._chore(self._retire(retired, old.config.gateway.drain))
        self._served = True
        await self._batches.use(config, guard)
        if self._embedder is not None:
            self._chore(self._warm())
        self._telemetry.serve(config)
        self._telemetry.reloaded("refused" if serving.refused else "applied")
        self._log.log_prompts = config.gateway.log_prompts
        return serving.refused

    def set_endpoints(self, endpoints: Endpoints) -> None:
        """Takes the ready addresses of managed models."""
        self._endpoints.update(endpoints)
        self._models = endpoints
        self._trust()

    def _reach(self, egress: Egress) -> Guard:
        return reach(egress, bundle=self.options.ca_bundle, loopback=self.options.allow_loopback, trusted=self._trusted)

    def _trust(self) -> None:
        """Lets the operator's own addresses be called where pods and Services live."""
        self._trusted.clear()
        self._trusted.update(self.options.trusted, inside(self.serving.config, self._models))

    async def _equip(self, config: Config) -> None:
        """Opens cache and embedder once a Config needs them."""
        policies = config.policies.values()
        tasks = any(route.strategy.type == "task" for route in config.routes.values())
        if self._embedder is None and (tasks or any(map(by_meaning, policies))):
            from sluice_sidecar.cache.embed import MiniLM

            self._embedder = MiniLM()
        if self.cache is None and (policies or self.options.workers > 1):  # workers add up their counts through it
            from sluice_sidecar.cache.cache import Cache
            from sluice_sidecar.storage import Storage

            self._storage = Storage(self.options, purged=self._purged_elsewhere, counts=self._telemetry.snapshot)
            cache = Cache(self._storage.store, self._embedder)
            await cache.open()
            self.cache = cache
        if self.cache is not None:
            own = await self._embeddings.use(config, self._guard)
            self.cache.use(self._embedder, own, await self._verification.use(config, self._guard))
        if self.cache is not None and self._storage is not None:
            await self.cache.share(self._storage.shared(config, self._guard))

    def _router(self, route: Route) -> Router:
        before = self.serving.routes.get(route.name)
        return Router(
            route,
            self.courier,
            embed=self._embed,
            carry_over=None if before is None else before.router,
            mirrored=partial(self._mirrored, route),
        )

    def _prompts(self, route: Route) -> "Governed | None":
        if route.prompt is None and route.audit is None:
            return None
        if self._desk is None:
            from sluice_sidecar.audit.desk import Desk
            from sluice_sidecar.audit.tokens import Tokens

            options, tokens = self.options, Tokens(lambda: self.courier.client, self._addresses)
            self._desk = Desk(options.data, tokens, worker=options.worker, workers=options.workers)
            self._chore(self._desk.run())
        return self._desk.governed(route)

    def _addresses(self, backend: Backend) -> Sequence[str]:
        return (backend.url,) if backend.url is not None else self._endpoints.ready(backend.managed or "")

    async def _embed(self, text: str) -> "Vector":
        assert self._embedder is not None  # swap made one before it served a route that embeds
        return await self._embedder(text)

    async def _warm(self) -> None:
        """Loads the embedder and fits the classifiers before the first request needs them."""
        if self.cache is not None:
            await self.cache.warm()
        for served in self.serving.routes.values():
            await served.router.warm()

    async def _retire(self, client: Client, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await client.close()

    @property
    def deferring(self) -> Batches:
        """What takes in and runs deferred requests here."""
        return self._batches

    # What exchanges work with

    def settled(self, decision: Decision, served: ServedRoute | None, ask: Ask | None) -> None:
        """Takes note of a finished exchange: ledger, metrics, log."""
        if ask is not None:
            decision.prompt_chars = len(ask.raw)
        try:
            self.ledger.record(decision, None if served is None else served.route)
            self._telemetry.finished(decision)
            self._log.write(decision, ask.text if ask is not None and self._log.log_prompts else None)
        except Exception:  # the answer is out; a fault in the books must not end its connection
            log.exception("a decision could not be recorded", extra={"request": decision.id})

    def background(self, follower: Follower, route: Route) -> None:
        """Waits for a call that no caller waits for, and books it."""
        self._chore(self._revalidated(follower, route))

    async def _revalidated(self, follower: Follower, route: Route) -> None:
        with follower:
            try:
                reply: Reply = await follower.result()
            except (Problem, UpstreamError, FlightError) as error:
                log.warning("a stale answer could not be refreshed", extra={"reason": str(error)})
                return
        spent = self.ledger.spend(route, reply.attempts, "revalidate")
        self._telemetry.background(route.name, reply.attempts, spent)

    def _mirrored(self, route: Route, ask: Ask, caller: Caller, backend: Backend, attempts: Sequence[Attempt]) -> None:
        spent = self.ledger.spend(route, attempts, "mirror")
        self._telemetry.background(route.name, attempts, spent)

    def _chore(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # The data port

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        self._telemetry.inflight += 1
        try:
            path = scope["path"]
            dialect = BY_PATH.get(path)
            if dialect is not None and scope["method"] == "POST":
                if self.pass_on is not None and deferred.wanted(scope) and not lacking(self.serving.config):
                    await self.pass_on(scope, receive, send)
                elif self._batches.open and deferred.wanted(scope):
                    await self._batches.accept(dialect, scope, receive, send)
                else:
                    await self._answer(dialect, scope, receive, send)
            elif service.serves(path):
                await (self.pass_on or self._batches.answer)(scope, receive, send)
            elif path == feedback.PATH:
                await feedback.answer(self.cache, self.serving.callers, scope, receive, send)
            elif self.relay is not None and path.startswith("/-/relay/"):
                await self.relay(scope, receive, send)
            elif self.taking is not None and path.startswith("/-/deferred/"):
                await self.taking(scope, receive, send)
            else:
                await catalogue.answer(self.serving, scope, send)
        finally:
            self._telemetry.inflight -= 1

    async def _answer(self, dialect: Dialect, scope: Scope, receive: Receive, send: Send) -> None:
        self.asking += 1
        exchange = Exchange(self, dialect, scope, receive, send)
        try:
            await exchange.run()
        finally:
            self.asking -= 1
        if exchange.served is not None:
            self._batches.answered(exchange.served.route, exchange.decision)

    def _purged_elsewhere(self, policy: str | None, tenant: str | None, entry: str | None) -> None:
        if self.cache is not None:
            self.cache.forget(policy, tenant, entry)

    def _cache_entries(self) -> int:
        return 0 if self.cache is None else self.cache.entries

    def _reuse(self) -> Snapshot:
        prompts = {} if self._desk is None else self._desk.families()
        return prompts if self.cache is None else prompts | reusing.families(self.cache, self.serving.config.policies)

    def _open_breakers(self) -> dict[str, bool]:
        backends = [(b, s.route) for s in self.serving.routes.values() for b in s.route.backends.values()]
        return {b.name: self._breakers.of(b, route.resilience.breaker).remaining > 0 for b, route in backends}

    # What the admin port reads

    def config(self) -> Config | None:
        """What is served."""
        return self.serving.config if self._served else None

    def reports(self) -> Reports | None:
        """Where this gateway tells what it serves; None: nowhere."""
        return self._models.reports

    def store(self, policy: str) -> tuple[int | None, str]:
        """Answers in a policy's store, None where they are not counted for it alone, and why it cannot be used."""
        found = self.serving.config.policies.get(policy)
        if self.cache is None or found is None:
            return None, ""
        if found.store is None:  # the embedded store counts for all policies together
            return (self._cache_entries() if len(self.serving.config.policies) == 1 else None), ""
        stats = self.cache.store_stats(found)
        counts = stats.get("policies")
        return counts.get(policy, 0) if isinstance(counts, dict) else None, str(stats.get("reason") or "")

    def bound(self, policy: str) -> float | None:
        """The worst upper bound on the error of what a policy reuses by meaning; None: it reuses nothing so."""
        return None if self.cache is None else reusing.worst_bound(self.cache, policy)

    def refused(self) -> Mapping[str, str]:
        """Routes that are not served, and why."""
        return self.serving.refused

    def ready(self) -> tuple[bool, Sequence[str]]:
        """Whether requests can be answered, and what is missing."""
        if not self._served:
            return False, ["no configuration yet"]
        return (False, ["draining"]) if self._draining else (True, [])

    def evidence(self) -> Mapping[str, Any]:
        """Policy -> strategy -> what is known of its error."""
        return {} if self.cache is None else self.cache.learner.shown()

    def hits(self, n: int) -> Sequence[Mapping[str, Any]]:
        """The last n answers that were reused by meaning, newest first; this worker's."""
        return [] if self.cache is None else [hit.shown() for hit in self.cache.recent(n)]

    async def prompts(self) -> Mapping[str, Any]:
        """The system prompts of governed and audited routes; this worker's."""
        return {} if self._desk is None else await self._desk.shown()

    async def batches(self) -> Mapping[str, Any]:
        """The queue of deferred requests and its windows."""
        return await self._batches.overview()

    async def windows(self) -> Mapping[str, Any]:
        """BatchWindow -> its figures, see `figures.report`."""
        return figures.report(*await self._batches.figures())

    async def webhooks(self) -> Mapping[str, Any]:
        """How many webhooks are where. Raises Problem(501)."""
        return await self._batches.webhooks()

    async def telemetry(self) -> Snapshot:
        """All workers' numbers."""
        own = {**self._telemetry.snapshot(), **figures.families(*await self._batches.figures())}
        return own if self._storage is None else merge([own, *self._storage.others()])

    async def purge(self, *, policy: str | None, tenant: str | None, entry: str | None) -> int:
        """Drops cached answers that match all that is given; how many."""
        if self.cache is None:
            return 0
        return await self.cache.purge(policy=policy, tenant=tenant, entry=entry)

    async def import_entries(self, policy: str, lines: bytes) -> Mapping[str, Any]:
        """Stores the answers of a policy in these lines; what became of them. Raises Problem, StoreError."""
        cache, kept = self._policy(policy)
        store = cache.store_stats(kept)
        if store["state"] not in ("open", "none"):
            raise StoreError(str(store.get("reason") or f"it is {store['state']}"))
        taken = await intake.take(cache, self.serving, kept, lines)
        return {**taken.shown(), "store": store["state"]}

    async def export_entries(self, policy: str) -> AsyncIterator[bytes]:
        """A policy's entries, a line each. Raises Problem, StoreError."""
        cache, kept = self._policy(policy)
        async for entry in cache.kept(kept):
            yield intake.exported(entry)

    def _policy(self, name: str) -> "tuple[Cache, Policy]":
        policies = self.serving.config.policies
        if self.cache is None or name not in policies:
            known = f"known: {', '.join(policies)}" if policies else "this configuration has none"
            raise Problem(404, "policy_not_found", f"There is no policy {name[:100]!r}; {known}.", param="policy")
        return self.cache, policies[name]
