"""The operator's TLS server as a test runs it, and its certificates at any time."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from doubles.kube import Api
from sluice_operator.admission.inject import Operation
from sluice_operator.admission.review import Inject, Injection
from sluice_operator.admission.server import BODY_SECONDS, AdmissionServer
from sluice_operator.admission.tls import Certificates, ca_bundle, rotated, secret_manifest
from sluice_operator.cluster import KubeCluster
from sluice_operator.plan.plan import Manifest
from sluice_operator.reports import Reports
from sluice_operator.token_identity import TokenIdentity

NAMES = ("localhost", "sluice-operator.sluice-system.svc")
START = datetime(2026, 1, 1, tzinfo=UTC)
PATCH: list[Operation] = [{"op": "add", "path": "/metadata/annotations", "value": {"sluice.dev/injected": "1.2.3"}}]


def annotated(_pod: Mapping[str, Any], _namespace: str) -> Injection:
    """The smallest injection that shows."""
    return Injection(PATCH)


def made(now: datetime | None = None) -> Certificates:
    """A fresh authority and leaf."""
    return rotated(None, NAMES, now or datetime.now(UTC))


def kept(certificates: Certificates) -> Manifest:
    """The Secret with them."""
    return secret_manifest(certificates, "sluice-system")


def later(certificates: Certificates, *, days: float, start: datetime = START) -> Certificates:
    """What becomes of them by then."""
    return rotated(kept(certificates), NAMES, start + timedelta(days=days))


async def nobody(_token: str) -> TokenIdentity | None:
    """A review to which no token is valid."""
    return None


@dataclass(frozen=True)
class Served:
    """A running server."""

    server: AdmissionServer
    reports: Reports
    changed: list[str]
    certificates: Certificates
    port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def client(self, ca: str | None = None) -> httpx.AsyncClient:
        """A client that trusts `ca` (default: the authority it began with) alone."""
        context = ssl.create_default_context(cadata=ca or ca_bundle(self.certificates))
        return httpx.AsyncClient(base_url=self.url, verify=context, trust_env=False, timeout=30)


@asynccontextmanager
async def serving(
    inject: Inject = annotated,
    review: Callable[[str], Any] = nobody,
    *,
    leads: bool = True,
    patience: float = BODY_SECONDS,
    certificates: Certificates | None = None,
) -> AsyncIterator[Served]:
    """A server on a free port, stopped at the end."""
    changed: list[str] = []
    reports = Reports(changed.append)
    if leads:
        reports.listen()
    server = AdmissionServer(inject, reports, review, patience=patience)
    certificates = certificates or made()
    server.use(certificates.leaf)
    port = await server.start("127.0.0.1", 0)
    try:
        yield Served(server, reports, changed, certificates, port)
    finally:
        await server.stop()


@asynccontextmanager
async def reviewing(api: Api) -> AsyncIterator[Callable[[str], Any]]:
    """A review by the real API server."""
    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:

        async def review(token: str) -> TokenIdentity | None:
            return await cluster.review_token(token, "sluice")

        yield review


def admission_review(
    pod: Mapping[str, Any], namespace: str = "team", *, operation: str = "CREATE", kind: str = "Pod"
) -> dict[str, Any]:
    """What the API server asks."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": kind},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": namespace,
            "operation": operation,
            "dryRun": False,
            "object": dict(pod),
        },
    }
