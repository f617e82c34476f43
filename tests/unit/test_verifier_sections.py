"""A policy's verifier as Config says it, on one machine and in a cluster."""

from typing import Any

import pytest

from doubles.objects import parsed, policy, route
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant
from sluice_sidecar.config import Credential, OnnxVerifier, Policy, Verifier, VerifierEndpoint

VIEW = ClusterView({"s": Grant({"k": "v"}, ("e.example.com",))})
ONNX = {"onnx": {"path": "/models/pairs"}, "threshold": "0.5"}
ENDPOINT = {
    "endpoint": {
        "url": "https://e.example.com/v1",
        "api": "Score",
        "model": "m",
        "apiKey": {"secret": "s", "key": "k"},
    },
    "threshold": "0.25",
    "timeout": "80ms",
}


def compiled(verifier: Any, cluster: ClusterView | None = None, **more: Any) -> Any:
    reuse = {"paraphrase": {"similarity": "0.9", "verifier": verifier, **more}}
    return compile(parsed(route("r", cachePolicy={"name": "p"}), policy("p", reuse=reuse)), cluster=cluster)


def section(verifier: Any, cluster: ClusterView | None = None, **more: Any) -> Policy:
    result = compiled(verifier, cluster, **more)
    assert result.errors == ()
    found: Policy = result.config.policies["p"]
    return found


def test_a_folder_waits_50_ms_and_older_gateways_refuse_it() -> None:
    found = section(ONNX)
    assert found.paraphrase
    assert found.paraphrase.verifier == Verifier(model=OnnxVerifier(path="/models/pairs"), threshold=0.5, timeout=0.05)
    assert "verifier" in found.requires


@pytest.mark.parametrize(
    ("cluster", "credential"),
    [(None, Credential(secret="s", key="k")), (VIEW, Credential(secret="sluice-store", key="external-s_k"))],
)
def test_an_endpoints_key_is_where_its_gateway_finds_it(cluster: ClusterView | None, credential: Credential) -> None:
    found = section(ENDPOINT, cluster)
    assert found.paraphrase
    model = VerifierEndpoint(url="https://e.example.com/v1", api="Score", model="m", credential=credential)
    assert found.paraphrase.verifier == Verifier(model=model, threshold=0.25, timeout=0.08)


def test_an_endpoint_waits_200_ms_unless_told() -> None:
    found = section({"endpoint": {"url": "https://e.example.com/v1"}, "threshold": "0.5"})
    assert found.paraphrase
    assert found.paraphrase.verifier
    assert found.paraphrase.verifier.timeout == 0.2


def test_a_folder_in_a_cluster_is_refused() -> None:
    assert "spec.reuse.paraphrase.verifier.onnx" in {error.field for error in compiled(ONNX, VIEW).errors}


def test_without_paraphrases_nothing_is_loaded() -> None:
    found = section(ONNX, enabled=False)
    assert found.paraphrase is None
    assert "verifier" not in found.requires
