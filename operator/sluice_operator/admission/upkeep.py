"""Keeps the certificate's Secret, and the webhook's trust in it, as they should be: one pass, to be repeated."""

from collections.abc import Collection
from datetime import datetime

from sluice_operator.admission import webhook
from sluice_operator.admission.tls import (
    Certificates,
    Due,
    ca_bundle,
    due,
    read,
    rotated,
    secret_manifest,
    secret_ref,
)
from sluice_operator.cluster import Cluster


async def adopt(cluster: Cluster, namespace: str) -> Certificates | None:
    """What is in the Secret of the operator's namespace; None until the leader has made it. Writes nothing.

    For standbys, which serve what the leader keeps. Raises ClusterError.
    """
    return read(await cluster.get(secret_ref(namespace)))


async def keep(
    cluster: Cluster, namespace: str, dns: Collection[str], now: datetime, configuration: str = ""
) -> Certificates:
    """Does what is due, at most one step, and returns what is to be served. For the leader alone. Raises ClusterError.

    `configuration` names the webhook's configuration; "" : this installation has none. At rest it writes nothing.
    """
    secret = await cluster.get(secret_ref(namespace))
    found = read(secret)
    if found is not None:
        # First, because a pass may have been missed for long: whoever signs next must be trusted by now.
        await _trust(cluster, configuration, found)
    if found is not None and due(secret, dns, now) is Due.NOTHING:
        return found
    fresh = rotated(secret, dns, now)
    await cluster.apply(secret_manifest(fresh, namespace))
    await _trust(cluster, configuration, fresh)
    return fresh


async def _trust(cluster: Cluster, configuration: str, certificates: Certificates) -> None:
    if not configuration:
        return
    observed = await cluster.get(webhook.ref(configuration))
    intent = webhook.ca_intent(observed, ca_bundle(certificates))
    if intent is not None:
        await cluster.apply(intent)
