"""One replica at work: watches fill its mirror, and while it leads it works the queue of namespaces."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.admission.inject import inject
from sluice_operator.admission.review import Injection
from sluice_operator.cluster import KubeCluster
from sluice_operator.cluster_error import ClusterError
from sluice_operator.engine import PlanError
from sluice_operator.installation import Installation
from sluice_operator.kinds import API_VERSION
from sluice_operator.kinds.references import ConfigMapKey
from sluice_operator.lease import Lease
from sluice_operator.metrics import Metrics
from sluice_operator.mirror import Mirror
from sluice_operator.observe import observe
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Seen
from sluice_operator.queue import WorkQueue
from sluice_operator.reconcile import Reconcile
from sluice_operator.relist import Relist
from sluice_operator.remembering import Remembering
from sluice_operator.reports import Reports
from sluice_operator.settings import Settings
from sluice_operator.sources import PODS, Source, sources
from sluice_operator.store_admin import StoreAdmin
from sluice_operator.watches import watch

GATHER = 0.2
"""Seconds for which reports are gathered before a status is written: those of a rollout come together."""
TIDY = 60.0
"""Seconds between two looks for reports of pods that are gone."""

log = logging.getLogger(__name__)


class Replica:
    """`run` it once; injection and reports may be asked of it from the start."""

    def __init__(self, settings: Settings, cluster: KubeCluster, metrics: Metrics, version: str) -> None:
        """`version` is what injected pods are annotated with."""
        self._settings, self._cluster, self._metrics, self._version = settings, cluster, metrics, version
        self._installation = settings.installation()
        self._sources = sources(gateway_api=settings.gateway_api)
        self._mirror = Mirror()
        self.reports = Reports(self._reported)
        """What gateways say; open while this replica leads."""
        self._relist = Relist(
            self._mirror,
            cluster,
            self._sources,
            settings.watch_namespaces,
            self._wake,
            interval=settings.relist_seconds,
            restarted=metrics.restarted,
            missed=metrics.missed,
        )
        self._stores = StoreAdmin(self.wake, settings.places, every=settings.store_seconds)
        reconcile = Reconcile(self._observe, Remembering(cluster, self._mirror), metrics, want=self._stores.want)
        self._queue: WorkQueue[str] = WorkQueue(reconcile, workers=settings.workers, on_failure=self._failed)
        self._leads = False
        metrics.depth.set_function(lambda: self._queue.depth)
        metrics.objects.set_function(lambda: len(self._mirror))

    def use(self, installation: Installation) -> None:
        """Renders workloads with other settings from now on."""
        if installation != self._installation:
            self._installation = installation
            self._wake(self._mirror.namespaces())

    def dead(self) -> str:
        """Why this process must be started again; "" : it need not."""
        silent = ", ".join(str(source) for source in self._relist.dead())
        return f"the watch of {silent} is dead: a list found changes of which it did not tell" if silent else ""

    def unready(self) -> str:
        """Why this replica can neither take over nor answer; "" : it can."""
        return self.dead() or ("" if self._mirror.ready else "not everything that is watched was listed yet")

    def inject(self, pod: Mapping[str, Any], namespace: str) -> Injection:
        """What is done to a new pod. Raises Refused."""
        here = self._mirror.of(namespace)
        patch = inject(pod, namespace, self._installation, self._version, ca_bundle=self._ca_bundle(namespace))
        if not patch or not self._mirror.ready or any(ref.kind == "ModelRoute" for ref in here):
            return Injection(patch)
        return Injection(
            patch, (f"namespace {namespace} has no ModelRoute yet: the gateway knows no model until then",)
        )

    async def run(self) -> None:
        """Works until it is cancelled. Raises LeaseError, WatchError: the process must end then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relist.run())
            # Before kopf starts: it never watches a kind that was not there then.
            await self._relist.filled.wait()
            log.info("listed %d objects; watching", len(self._mirror))
            group.create_task(watch(self._sources, self._settings.watch_namespaces, self._heard))
            if self._settings.leader_election:
                where = (self._settings.namespace, names.OPERATOR_NAME, self._settings.identity)
                await Lease(self._cluster, *where).lead(self._lead)
            else:
                await self._lead()

    def wake(self, namespace: str) -> None:
        """Wants a namespace looked at; nothing where this replica does not lead."""
        if self._leads:
            self._queue.add(namespace)

    def _reported(self, namespace: str) -> None:
        if self._leads:
            self._queue.add(namespace, GATHER)

    def _wake(self, namespaces: frozenset[str]) -> None:
        for namespace in namespaces:
            self.wake(namespace)

    def _heard(self, source: Source, event_type: str | None, body: dict[str, Any]) -> None:
        self._relist.heard(source, event_type)
        self._wake(self._mirror.update(event_type, body))

    async def _observe(self, namespace: str) -> Seen:
        return await observe(
            self._mirror,
            self.reports,
            self._stores.problems(namespace),
            self._installation,
            namespace,
            self._cluster,
            secrets.token_hex(32),
            listening=self.reports.listening(time.time()),
            snapshots=self._stores.snapshots(namespace),
        )

    def _failed(self, namespace: str, error: Exception, wait: float) -> None:
        known = isinstance(error, ClusterError | PlanError)
        log.warning("namespace %s: %s; again in %.1f s", namespace, error, wait, exc_info=None if known else error)

    async def _lead(self) -> None:
        # What the leader before wrote last may not have been told yet.
        await self._relist.complete()
        self.reports.listen()
        self._leads = True
        self._metrics.leader.set(1)
        log.info("%s leads", self._settings.identity)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tidy())
                group.create_task(self._stores.run())
                group.create_task(self._show(leads=True))
                self._wake(self._mirror.namespaces())
                await self._queue.run()
        finally:
            self._leads = False
            self._metrics.leader.set(0)
            await self._show(leads=False)

    async def _tidy(self) -> None:
        """Forgets what pods said that are gone."""
        while True:
            await asyncio.sleep(TIDY)
            pods = self._mirror.of_kind(PODS.api_version, PODS.kind).values()
            self.reports.forget({pod["metadata"]["uid"] for pod in pods})

    async def _show(self, *, leads: bool) -> None:
        """Labels the own pod, so that the report Service finds the leader."""
        if not self._settings.pod_name:
            return
        pod = Ref("v1", "Pod", self._settings.namespace, self._settings.pod_name)
        try:
            async with asyncio.timeout(2.0):
                await self._cluster.label(pod, {names.LEADER: "true" if leads else None})
        except (ClusterError, TimeoutError) as failed:
            log.warning("%s cannot be labelled: gateways may not find the leader: %s", pod, failed)

    def _ca_bundle(self, namespace: str) -> ConfigMapKey | None:
        """The further authorities that the namespace's SluiceGateway trusts."""
        gateway = self._mirror.get(Ref(API_VERSION, "SluiceGateway", namespace, "default")) or {}
        given = (((gateway.get("spec") or {}).get("egress") or {}).get("caBundle") or {}).get("configMap")
        return ConfigMapKey.model_validate(given) if given else None
