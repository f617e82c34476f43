"""The status of a QuantisedModel: how much of it runs, and where it answers. Pure."""

from typing import Any

from sluice_operator import names
from sluice_operator.conditions import Verdict, conditions, stalled
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.view import View, notes
from sluice_operator.render.llama_cpp import owner_label, workload_name


def model_status(model: Manifest, view: View) -> dict[str, Any]:
    """The whole status."""
    name, generation = model["metadata"]["name"], model["metadata"].get("generation")
    workload = view.child("apps/v1", "Deployment", workload_name(name))
    addresses = view.seen.addresses.get(name, ())
    running = (workload or {}).get("status") or {}
    status: dict[str, Any] = {
        **({} if generation is None else {"observedGeneration": generation}),
        "conditions": conditions(
            _verdict(name, workload, addresses, view),
            (model.get("status") or {}).get("conditions"),
            generation,
            view.now,
        ),
    }
    if workload is not None or not view.errors("QuantisedModel", name):
        status |= {
            "replicas": running.get("replicas", 0),
            "readyReplicas": running.get("readyReplicas", 0),
            "selector": f"{names.COMPONENT}=model,{names.OWNER_MODEL}={owner_label(name)}",
        }
    if addresses:
        status["address"] = addresses[0]
    return status


def _verdict(name: str, workload: Manifest | None, addresses: tuple[str, ...], view: View) -> Verdict:
    errors = view.errors("QuantisedModel", name)
    if errors:
        return stalled(errors, "what ran before still runs" if workload else "")
    if addresses:
        told = "; ".join([f"answers at {addresses[0]}", *notes(view.warnings("QuantisedModel", name))])
        return Verdict("True", "Answering", told)
    if workload is not None and workload["spec"].get("replicas") == 0:
        return Verdict("False", "ScaledDown", "0 replicas are asked for through /scale, so nothing answers")
    failed = _deployment_problem(workload)
    message = failed or f"its pod is starting: see Deployment {workload_name(name)} and its pods"
    return Verdict("False", "Failing" if failed else "Starting", message, reconciling=True)


def _deployment_problem(workload: Manifest | None) -> str | None:
    listed = ((workload or {}).get("status") or {}).get("conditions") or ()
    for entry in listed:
        failing = (entry.get("type"), entry.get("status")) in {("ReplicaFailure", "True"), ("Progressing", "False")}
        if failing:
            return f"{entry.get('reason')}: {entry.get('message')}"
    return None
