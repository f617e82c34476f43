"""Which authorities the API server trusts when it calls the webhook: the one field that the operator writes. Pure."""

import base64

from sluice_operator.plan.plan import Manifest, Ref

API_VERSION = "admissionregistration.k8s.io/v1"
KIND = "MutatingWebhookConfiguration"


def ref(name: str) -> Ref:
    """The configuration called `name`."""
    return Ref(API_VERSION, KIND, None, name)


def ca_intent(observed: Manifest | None, bundle: str) -> Manifest | None:
    """The intent for server-side apply that gives each webhook of a configuration `bundle` (PEM) as its caBundle.

    None where nothing is to be written: each has it, or there is no configuration, which the chart alone makes.
    All else in it belongs to the chart, and is not in the intent.
    """
    webhooks = (observed or {}).get("webhooks") or ()
    encoded = base64.b64encode(bundle.encode()).decode()
    if observed is None or all((one.get("clientConfig") or {}).get("caBundle") == encoded for one in webhooks):
        return None
    metadata = observed["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        # The uid keeps an apply from making one anew that was deleted meanwhile.
        "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
        "webhooks": [{"name": one["name"], "clientConfig": {"caBundle": encoded}} for one in webhooks],
    }
