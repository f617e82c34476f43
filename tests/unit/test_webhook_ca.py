"""The operator writes caBundle into the chart's webhook, and nothing else."""

import base64
from typing import Any

from sluice_operator.admission.webhook import ca_intent

BUNDLE = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
ENCODED = base64.b64encode(BUNDLE.encode()).decode()


def observed(*bundles: str | None) -> dict[str, Any]:
    webhooks = [
        {
            "name": f"w{number}.sluice.dev",
            "clientConfig": {"service": {"name": "s"}, **({"caBundle": bundle} if bundle else {})},
            "failurePolicy": "Fail",
        }
        for number, bundle in enumerate(bundles)
    ]
    return {"metadata": {"name": "sluice-inject", "uid": "u", "resourceVersion": "7"}, "webhooks": webhooks}


def test_each_webhook_gets_the_bundle_by_name_and_keeps_all_else() -> None:
    assert ca_intent(observed(ENCODED, None), BUNDLE) == {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "sluice-inject", "uid": "u"},
        "webhooks": [
            {"name": "w0.sluice.dev", "clientConfig": {"caBundle": ENCODED}},
            {"name": "w1.sluice.dev", "clientConfig": {"caBundle": ENCODED}},
        ],
    }


def test_another_bundle_is_replaced() -> None:
    assert ca_intent(observed("b2xk"), BUNDLE) is not None


def test_nothing_is_written_where_nothing_differs() -> None:
    assert ca_intent(observed(ENCODED, ENCODED), BUNDLE) is None


def test_a_configuration_that_is_not_there_is_not_made() -> None:
    assert ca_intent(None, BUNDLE) is None
