"""Keeps the operator's certificate in its Secret, and the webhook's trust in it, right: all replicas, the same way."""

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Protocol

from sluice_operator import names
from sluice_operator.admission import tls, webhook
from sluice_operator.cluster_error import ClusterError
from sluice_operator.plan.plan import Manifest, Ref

log = logging.getLogger(__name__)

_RACED = frozenset({"AlreadyExists", "Conflict"})
"""Another replica was first."""


class Keeping(Protocol):
    """The calls that it needs; KubeCluster has them."""

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        """The object; None when there is none."""

    async def create(self, manifest: Manifest) -> dict[str, Any]:
        """Creates it; AlreadyExists where there is one."""

    async def replace(self, manifest: Manifest) -> dict[str, Any]:
        """Writes it; Conflict where its resourceVersion is not the newest."""

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Server-side apply."""


async def keep(
    cluster: Keeping, namespace: str, dns: Collection[str], now: datetime | None = None, *, injection: bool = True
) -> tls.Certificates:
    """The certificates to serve, `dns` in them; renewed in the Secret of `namespace` where that is due.

    An authority signs only once the webhook's configuration, where there is `injection`, was found to trust it: at the
    next look where this one had to write it. `now` has a time zone; None: the present. Raises ClusterError.
    """
    ref = tls.secret_ref(namespace)
    at = now or datetime.now(UTC)
    while True:
        secret = await cluster.get(ref)
        found = tls.read(secret)
        due = tls.due(secret, dns, at)
        if found is not None and due is tls.Due.NOTHING:
            return found
        if found is not None and due is tls.Due.PROMOTE and injection and not await _trusts(cluster, found):
            return found
        made = tls.rotated(secret, dns, at)
        try:
            await _write(cluster, secret, tls.secret_manifest(made, namespace))
        except ClusterError as failed:
            if failed.reason not in _RACED:
                raise
            continue
        log.info("renewed the certificate in %s", ref)
        return made


async def _trusts(cluster: Keeping, certificates: tls.Certificates) -> bool:
    """Whether the webhook's configuration trusts all of the authorities already; it is given what it lacks."""
    try:
        return not await trust(cluster, certificates)
    except ClusterError as failed:
        log.warning("no new authority signs before the webhook trusts it: %s", failed)
        return False


async def _write(cluster: Keeping, secret: Manifest | None, manifest: Manifest) -> None:
    if secret is None:
        await cluster.create(manifest)
        return
    # A Secret's type cannot be changed, and what else is in its metadata is not ours.
    await cluster.replace({**secret, "data": manifest["data"]})


async def trust(cluster: Keeping, certificates: tls.Certificates) -> bool:
    """Gives the webhook's configuration, where there is one, the authorities to trust; whether it had to be written.

    Raises ClusterError.
    """
    observed = await cluster.get(webhook.ref(names.WEBHOOK_CONFIGURATION))
    intent = webhook.ca_intent(observed, tls.ca_bundle(certificates))
    if intent is None:
        return False
    await cluster.apply(intent)
    log.info("gave the webhook %s the authorities to trust", names.WEBHOOK_CONFIGURATION)
    return True
