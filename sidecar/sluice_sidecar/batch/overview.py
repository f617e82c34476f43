"""The queue and its windows at a glance, for the admin port: what waits where, when windows open, batches under way."""

import math
import time
from collections import Counter
from typing import Any

from sluice_sidecar.batch.outlook import Outlook
from sluice_sidecar.batch.queue import Queue
from sluice_sidecar.batch.records import Batch
from sluice_sidecar.batch.windows import Schedule

HORIZON = 48 * 3_600.0
"""Seconds ahead for which openings are told."""
OPENINGS = 64
"""Most openings of one window that are told."""
BATCHES = 25
"""Most batches that are told, oldest first."""


async def overview(queue: Queue, outlook: Outlook) -> dict[str, Any]:
    """Plain data. Raises Problem(503)."""
    now = time.time()
    lanes, batches = await queue.store.lanes(), await queue.store.under_way(BATCHES)
    queued, running = Counter[str](), Counter[str]()
    for lane in lanes:
        name = outlook.pool(lane.route).name
        queued[name] += lane.queued
        running[name] += lane.running
    windows = []
    for pool in outlook.pools:
        last = queued[pool.name] - 1
        windows.append(
            {
                "name": pool.name or None,
                "routes": sorted(pool.routes),
                "concurrency": pool.concurrency,
                "open": pool.gate.open(now),
                "openings": _openings(pool.gate, now),
                "queued": queued[pool.name],
                "running": running[pool.name],
                "done_in_seconds": outlook.remaining(pool, last) if last >= 0 else None,
            }
        )  # fmt: skip
    return {"now": now, "horizon": HORIZON, "windows": windows, "batches": [_shown(one) for one in batches]}


def _openings(gate: object, now: float) -> list[dict[str, float | None]]:
    """From when to when it is open, within the horizon; an `end` of None: it never closes."""
    if not isinstance(gate, Schedule):
        return []
    spans = [(now, gate.closes(now))] if gate.open(now) else []
    spans += [(one.start, one.end) for one in gate.openings(now, OPENINGS) if one.start < now + HORIZON]
    return [{"start": start, "end": None if math.isinf(end) else end} for start, end in spans]


def _shown(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id, "tenant": batch.tenant, "status": batch.status, "created": batch.created,
        "total": batch.total, "completed": batch.completed, "failed": batch.failed + batch.expired + batch.cancelled,
    }  # fmt: skip
