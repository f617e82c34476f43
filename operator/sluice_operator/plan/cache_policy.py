"""The status of a CachePolicy: who uses it, how full and how useful it is, whether its store can be used. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from sluice_operator.conditions import Verdict, conditions, stalled
from sluice_operator.plan.model_route import ratio
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.store_duties import SERVERS, answers, held_back
from sluice_operator.plan.view import View, Waking, notes, slowly
from sluice_sidecar.config import Policy


def policy_status(policy: Manifest, view: View) -> Waking:
    """The whole status."""
    name, generation = policy["metadata"]["name"], policy["metadata"].get("generation")
    before = policy.get("status") or {}
    section = view.compiled.config.policies.get(name)
    routes = sorted(route.name for route in view.compiled.config.routes.values() if route.policy == name)
    figures, wake = _figures(name, before, section, view)
    status: dict[str, Any] = {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(_verdict(name, section, routes, view), before.get("conditions"), generation, view.now),
        **({"routes": routes} if routes else {}),
        **figures,
    }
    return status, wake


def _verdict(name: str, section: Policy | None, routes: list[str], view: View) -> Verdict:
    errors = view.errors("CachePolicy", name)
    if errors or section is None:
        was = "what was published before still holds" if section else "routes that name it are not served"
        return stalled(errors, was) if errors else Verdict("False", "NotPublished", "it is not published yet")
    away = _store_problem(name, section, view) if routes else None
    if away:
        message = f"the store cannot be used: {away}; gateways serve without a cache meanwhile"
        return Verdict("False", "StoreUnavailable", message, reconciling=True)
    more: tuple[tuple[str, str, str], ...] = ()
    if _of_one(section) and routes and len(view.running) > 1:
        message = (
            f"{len(view.running)} gateways keep entries each for itself, so an answer that one has is asked for again "
            "by the others; give store: redis or qdrant to share them"
        )
        more = (("StoreNotShared", "EmbeddedStore", message),)
    if section.store and section.store.type == "qdrant" and section.store.managed and (why := held_back(view.seen)):
        message = f"image {view.seen.installation.images.qdrant} does not run yet: no snapshot before it: {why}"
        more = (("StoreUpgradeBlocked", "SnapshotFailed", message),)
    unused = {problem.reason for problem in view.warnings("CachePolicy", name)} >= {"Unused"}
    if unused:
        return Verdict("True", "Unused", "no route uses this CachePolicy")
    used = f"used by {len(routes)} route{'' if len(routes) == 1 else 's'}"
    return Verdict("True", "Valid", "; ".join([used, *notes(view.warnings("CachePolicy", name))]), more=more)


def _of_one(section: Policy) -> bool:
    """Whether one gateway's entries are not another's."""
    return section.store is None or section.store.type in ("faiss", "embedded")


def _store_problem(name: str, section: Policy, view: View) -> str | None:
    if section.store is None:
        return None
    if section.store.managed and (why := view.seen.stores.get(section.store.type)):
        return why
    told = [
        f"{pod.name}: {report.policies[name].store}"
        for pod in view.running
        if (report := view.fresh(pod)) and name in report.policies and report.policies[name].store
    ]
    if told:
        return f"{told[0]}" + (f" and {len(told) - 1} more" if len(told) > 1 else "")
    if section.store.managed and not answers(view.seen, section.store.type):
        return f"no pod of StatefulSet {SERVERS[section.store.type]} is ready"
    return None


def _figures(name: str, before: Mapping[str, Any], section: Policy | None, view: View) -> Waking:
    """Entries (each gateway's own are summed, a shared store's are the same for all), the share of hits, and the worst
    bound that any gateway holds on the error of what it reuses by meaning."""
    told = [report.policies[name] for report in view.reports.values() if name in report.policies]
    entries = [report.entries for report in told if report.entries is not None]
    requests = sum(report.requests for report in told)
    bounds = [report.bound for report in told if report.bound is not None]
    figures: dict[str, Any] = {}
    if entries or requests:
        shared = section is not None and not _of_one(section)
        figures = {
            "entries": (max(entries) if shared else sum(entries)) if entries else None,
            "hitRatio": ratio(sum(report.reused for report in told), requests) if requests else None,
            "falsePerHit": share(max(bounds)) if bounds else None,
        }
    return slowly(before, figures, ("entries", "hitRatio", "falsePerHit", "measured"), view)


def share(bound: float) -> str:
    """A bound with three digits, rounded up: what is said must hold. 0.008."""
    return f"{math.ceil(round(bound * 1000, 6)) / 1000:.3f}"
