"""A namespace with a BatchWindow at the moments of its day: pure, without an API server."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from doubles.objects import gateway, managed, model, route, window
from doubles.planning import Data, applied, pod, published, report
from doubles.planning import seen as planned
from sluice_operator import names
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Plan, Ref
from sluice_operator.plan.seen import Seen, WindowReport

FILES: Data = {"pvc": {"storage": "1Gi"}}
RAISED: Data = {"quantisedModel": {"name": "smollm2"}, "replicas": 3}
CLAIM = Ref("v1", "PersistentVolumeClaim", "team", names.FILES_CLAIM)
WORKER = Ref("apps/v1", "Deployment", "team", names.BATCH_NAME)
MODEL = Ref("apps/v1", "Deployment", "team", "sluice-model-smollm2")
GATEWAY = pod("one")


def at(clock: str, day: int = 15) -> float:
    """Unix seconds of a time of day in January 2027, UTC; the window `night` is open from 22:00 to 06:00."""
    return datetime.fromisoformat(f"2027-01-{day:02d}T{clock}").replace(tzinfo=UTC).timestamp()


def namespace(*more: Data, state: bool = True, **spec: Any) -> Seen:
    """A route to a model, a window over it, and a SluiceGateway whose state is in Redis."""
    kept: Data = {"state": {"redis": {"managed": {}}}} if state else {}
    wanted = window("r", **{"files": FILES, **spec})
    return planned(route("r", managed("m")), model(), wanted, gateway(**kept), *more)


def look(of: Seen, now: float) -> tuple[Seen, Plan]:
    """One look at `now`: what is seen after it, and what it wrote."""
    done = plan(of, now)
    return applied(of, done), done


def running(of: Seen, now: float) -> Seen:
    """The namespace after its first looks, with a volume and a worker."""
    first, _ = look(of, now)
    there = observed(observed(first, CLAIM, phase="Bound"), WORKER, readyReplicas=1)
    return look(there, now)[0]


def observed(of: Seen, ref: Ref, **status: Any) -> Seen:
    """The namespace, where a controller wrote an object's status."""
    return dataclasses.replace(of, children={**of.children, ref: {**of.children[ref], "status": status}})


def reported(of: Seen, now: float, **counted: Any) -> Seen:
    """The namespace, where its one gateway said this of the window `night`."""
    said = report(GATEWAY, published(of), received=now, windows={"night": WindowReport(**counted)})
    return dataclasses.replace(of, pods=(GATEWAY,), reports=(said,))


def asked(of: Seen) -> int:
    """Replicas of the model's workload."""
    found: int = of.children[MODEL]["spec"]["replicas"]
    return found
