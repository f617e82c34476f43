"""What this release does not serve is told: as an error where ignoring it would loosen safety or money."""

from typing import Any

import pytest

from doubles.objects import cascade, custom, gateway, managed, model, parsed, policy, route, window, written
from sluice_operator.compile import compile  # noqa: A004

AB = (custom("a"), custom("b"))
USED = {"cachePolicy": {"name": "p"}}
PARAPHRASE = {"paraphrase": {"similarity": "0.9"}}
ONNX = {"onnx": {"path": "/m", "dimensions": 384}}
SECTION, ELSEWHERE = "sha256:" + "0" * 64, {"name": "a", "key": "b"}


@pytest.mark.parametrize(
    ("data", "field", "severity"),
    [
        (route("r", limits={"costPerDay": "25"}), "spec.limits", "error"),
        (
            route("r", prompt={"rewrites": [{"name": "a", "section": SECTION, "configMap": ELSEWHERE}]}),
            "spec.prompt.rewrites.configMap",
            "error",
        ),
        (route("r", resilience={"hedge": {"after": "1s"}}), "spec.resilience.hedge", "warning"),
        (route("r", affinity="Prefix"), "spec.affinity", "warning"),
        (
            route("r", *AB, strategy=cascade("a", "b", quality="0.98", checks=[{"regex": "x"}])),
            "spec.strategy.cascade.accept.quality",
            "error",
        ),
        (policy("p", embedding=ONNX, workload="Invoice"), "spec.embedding", "warning"),
        (model(quantisation={"method": "Q8_0", "gate": {"maxLoss": "0.01"}}), "spec.quantisation.gate", "error"),
        (model(quantisation={"job": {}}), "spec.quantisation.job", "warning"),
        (model(scaling={"max": 4}), "spec.scaling", "warning"),
        (
            model(inference={"speculative": {"draft": {"source": {"pvc": {"claim": "draft"}}}}}),
            "spec.inference.speculative.draft.source",
            "warning",
        ),
        (model(replicas=3), "spec.replicas", "warning"),
        (model(rollout={"surge": "Never"}), "spec.rollout", "warning"),
        (gateway(auth={"oidc": {"issuer": "https://id.example.com", "audience": "x"}}), "spec.auth.oidc", "error"),
        (
            gateway(egress={"caBundle": {"configMap": {"name": "ca", "key": "ca.pem"}}}),
            "spec.egress.caBundle",
            "warning",
        ),
        (gateway(expose={"tls": {"secret": "tls"}}), "spec.expose.tls", "error"),
        (gateway(expose={"httpRoute": {"parentRefs": [{"name": "g"}]}}), "spec.expose.httpRoute", "warning"),
        (gateway(state={"redis": {"managed": {}}}), "spec.state", "warning"),
        (gateway(telemetry={"otlp": {"endpoint": "http://10.0.0.1:4317"}}), "spec.telemetry.otlp", "warning"),
        (gateway(replicas=3), "spec.replicas", "warning"),
        (gateway(workers=2), "spec.workers", "warning"),
        (gateway(resources={"limits": {"cpu": "1"}}), "spec.resources", "warning"),
        (window(provider={"batchAPI": True}), "spec.provider.batchAPI", "error"),
        (window(capacity={"quantisedModel": {"name": "m"}, "replicas": 2}), "spec.capacity", "warning"),
        (window(files={"s3": {"bucket": "b"}}), "spec.files", "warning"),
        (
            written("PromptAudit", "a", {"route": "other", "ablation": {"against": "a", "judge": "b"}}),
            "spec",
            "warning",
        ),
    ],
)
def test_a_field_that_is_not_served_is_told(data: dict[str, Any], field: str, severity: str) -> None:
    other = route("other", *AB, managed("m"), strategy={"single": {"backend": "a"}}, fallbacks=["b", "m"], **USED)
    objects = [other, *(fill for fill in (policy("p"), model()) if fill["kind"] != data["kind"]), data]
    found = {
        (problem.field, problem.severity)
        for problem in compile(parsed(*objects)).problems
        if problem.reason == "NotInThisRelease" and problem.kind == data["kind"]
    }
    assert found == {(field, severity)}


def test_what_is_left_at_its_default_is_not_told() -> None:
    objects = route("r", managed("b"), affinity="None", **USED), model(scaling={"min": 1}), policy("p"), gateway()
    assert compile(parsed(*objects)).problems == ()
