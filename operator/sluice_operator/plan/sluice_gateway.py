"""The statuses of a SluiceGateway, and of a kind that is checked and not run. Pure."""

from typing import Any

from sluice_operator import names
from sluice_operator.conditions import Verdict, conditions, stalled, told
from sluice_operator.kinds.sluice_gateway import SluiceGatewaySpec
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.view import View, notes


def gateway_status(gateway: Manifest, spec: SluiceGatewaySpec | None, view: View) -> dict[str, Any]:
    """The whole status. `spec` None: it cannot be read."""
    generation = gateway["metadata"].get("generation")
    workload = view.child("apps/v1", "Deployment", names.GATEWAY_NAME)
    running = (workload or {}).get("status") or {}
    status: dict[str, Any] = {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(
            _verdict(spec, workload, view), (gateway.get("status") or {}).get("conditions"), generation, view.now
        ),
    }
    if view.has_route and (workload is not None or spec is not None):
        scheme = "https" if spec and spec.expose.tls else "http"
        host = f"{names.GATEWAY_NAME}.{view.seen.namespace}.svc.{view.seen.installation.cluster_domain}"
        status |= {
            "replicas": running.get("replicas", 0),
            "readyReplicas": running.get("readyReplicas", 0),
            "digest": view.compiled.config.digest,
            "address": f"{scheme}://{host}/v1",
        }
    return status


def _verdict(spec: SluiceGatewaySpec | None, workload: Manifest | None, view: View) -> Verdict:
    errors = view.errors("SluiceGateway", "default")
    if errors:
        return stalled(errors, "what was published before still holds; without it no route is served")
    if spec is None or not view.has_route:
        return Verdict("False", "NoRoutes", "there is no ModelRoute in this namespace, so no gateway runs")
    status = (workload or {}).get("status") or {}
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if ready >= spec.replicas and updated >= spec.replicas:
        message = f"{ready} of {spec.replicas} gateways answer"
        return Verdict("True", "Running", "; ".join([message, *notes(view.warnings("SluiceGateway", "default"))]))
    message = f"{ready} of {spec.replicas} gateways answer, {updated} are up to date: see Deployment sluice-gateway"
    return Verdict("False", "Starting" if not ready else "RollingOut", message, reconciling=True)


def checked_status(value: Manifest, view: View) -> dict[str, Any]:
    """The status of a PromptAudit, which this release checks and does not run."""
    kind, name = value["kind"], value["metadata"]["name"]
    generation = value["metadata"].get("generation")
    errors = view.errors(kind, name)
    verdict = (
        stalled(errors)
        if errors
        else Verdict("False", "NotInThisRelease", told(view.warnings(kind, name)) or "not run by this release")
    )
    return {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(verdict, (value.get("status") or {}).get("conditions"), generation, view.now),
    }
