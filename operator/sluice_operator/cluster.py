"""The cluster, as far as the operator needs it: plain JSON data in and out, server-side apply, errors of our own.

`Cluster` is what the rest of the operator sees; `KubeCluster` speaks to an API server.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from kubernetes.aio import client, config

from sluice_operator import names
from sluice_operator.cluster_error import KIND_UNKNOWN, NOT_FOUND, TIMEOUT, UNREACHABLE, ClusterError
from sluice_operator.plan.plan import Event, Manifest, Ref
from sluice_operator.token_identity import TokenIdentity

__all__ = ["Cluster", "ClusterError", "KubeCluster", "TokenIdentity"]

PAGE = 500
"""Objects a list asks for at once."""
NOTE_BYTES = 1024
"""Longest message of an Event."""
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"


class Cluster(Protocol):
    """Reads and writes of one cluster. Every method raises ClusterError where the server refuses or is away."""

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        """The object; None when there is none."""

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """All objects of a kind, of one namespace or of all, that carry these labels; each with apiVersion and kind."""

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Server-side apply of a full intent as the only owner; the object as it is now."""

    async def apply_status(self, ref: Ref, status: Mapping[str, Any]) -> dict[str, Any]:
        """Server-side apply of a whole status; the object as it is now.

        NotFound where the object is gone: a status creates nothing.
        """

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        """Deletes the object, what it owns in the background; with `uid`, only that one. Missing is fine."""

    async def event(self, event: Event) -> None:
        """Writes one Event about an object."""

    async def label(self, ref: Ref, labels: Mapping[str, str | None]) -> None:
        """Sets these labels, removes those that are None, and leaves all others."""

    async def review_token(self, token: str, audience: str) -> TokenIdentity | None:
        """Whose service account token it is; None where it is not valid for this audience."""


class KubeCluster:
    """A Cluster on an API server. Safe for any number of calls at once; made by `connect`."""

    def __init__(
        self, api: client.ApiClient, *, call_seconds: float = 10.0, identity: str = names.OPERATOR_NAME
    ) -> None:
        """`call_seconds`: how long one call may take, all of it. `identity`: who the Events say that they are from."""
        self._api: Any = api
        self._call_seconds = call_seconds
        self._identity = identity
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, kubeconfig: str | None = None, *, call_seconds: float = 10.0, identity: str = names.OPERATOR_NAME
    ) -> AsyncIterator["KubeCluster"]:
        """A client by a kubeconfig's path, or, None, by the pod's own service account; closed at the end.

        Nothing is asked of the server yet. Raises ValueError where there is no usable configuration.
        """
        configuration = client.Configuration()
        try:
            if kubeconfig is None:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                await config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=kubeconfig, client_configuration=configuration
                )
        except config.ConfigException as error:
            where = f"kubeconfig {kubeconfig}" if kubeconfig else "not in a pod with a service account"
            raise ValueError(f"no way to the API server: {where}: {error}; give a kubeconfig's path") from error
        # Looked up once: for each call the client would read ~/.netrc, in a thread.
        configuration.proxy = configuration.proxy or _proxy(configuration.host)
        configuration.client_session_kwargs = {"trust_env": False}
        async with client.ApiClient(configuration) as api:
            yield cls(api, call_seconds=call_seconds, identity=identity)

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        """See Cluster."""
        try:
            return await self._call(ref, "GET")
        except ClusterError as error:
            if error.reason == NOT_FOUND:
                return None
            raise

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """See Cluster. Pages are of one consistent state; one that expired meanwhile is a retryable ClusterError."""
        every = Ref(api_version, kind, namespace, "*")
        path = await self._path(every, name=None)
        selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        query = {"limit": str(PAGE), **({"labelSelector": selector} if selector else {})}
        found: list[dict[str, Any]] = []
        while True:
            page = await self._request(every, "GET", path, query=query)
            # items of a list lack what the list itself says
            found += [{"apiVersion": api_version, "kind": kind, **item} for item in page["items"]]
            more = page["metadata"].get("continue")
            if not more:
                return found
            query["continue"] = more

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """See Cluster."""
        return await self._call(Ref.of(manifest), "PATCH", body=manifest, content=APPLY, query=_ownership())

    async def apply_status(self, ref: Ref, status: Mapping[str, Any]) -> dict[str, Any]:
        """See Cluster."""
        body = _bare(ref) | {"status": status}
        return await self._call(ref, "PATCH", body=body, content=APPLY, query=_ownership(), subresource="status")

    async def create(self, manifest: Manifest) -> dict[str, Any]:
        """Creates an object: AlreadyExists where there is one."""
        ref = Ref.of(manifest)
        return await self._request(ref, "POST", await self._path(ref, name=None), body=manifest)

    async def replace(self, manifest: Manifest) -> dict[str, Any]:
        """Writes a whole object: Conflict where its resourceVersion is not the newest."""
        return await self._call(Ref.of(manifest), "PUT", body=manifest)

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        """See Cluster."""
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._call(ref, "DELETE", body=body)
        except ClusterError as error:
            # a conflict says that this uid is gone and another object has the name
            if error.reason != NOT_FOUND and not (uid and error.reason == "Conflict"):
                raise

    async def label(self, ref: Ref, labels: Mapping[str, str | None]) -> None:
        """See Cluster."""
        await self._call(ref, "PATCH", body={"metadata": {"labels": dict(labels)}}, content=MERGE)

    async def event(self, event: Event) -> None:
        """See Cluster."""
        now = datetime.now(UTC)
        # a cluster-wide object's Events are kept where kubectl looks for them
        home = event.ref.namespace or "default"
        told = f"{event.ref}{event.uid}{event.reason}{event.message}{now.timestamp()}"
        regarding = {
            "apiVersion": event.ref.api_version,
            "kind": event.ref.kind,
            "name": event.ref.name,
            "uid": event.uid,
            **({"namespace": event.ref.namespace} if event.ref.namespace else {}),
        }
        name = f"{event.ref.name[:200].rstrip('.-')}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        manifest = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": home},
            "regarding": regarding,
            "type": event.type,
            "reason": event.reason,
            "action": event.reason,
            "note": _clipped(event.message),
            "reportingController": "sluice.dev/operator",
            "reportingInstance": self._identity[:128],
            "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }
        await self.create(manifest)

    async def review_token(self, token: str, audience: str) -> TokenIdentity | None:
        """See Cluster."""
        ref = Ref("authentication.k8s.io/v1", "TokenReview", None, "*")
        body = {"apiVersion": ref.api_version, "kind": ref.kind, "spec": {"token": token, "audiences": [audience]}}
        review = await self._request(ref, "POST", await self._path(ref, name=None), body=body)
        return TokenIdentity.read(review.get("status") or {}, audience)

    async def _call(
        self,
        ref: Ref,
        method: str,
        *,
        body: Mapping[str, Any] | None = None,
        content: str = "",
        query: Mapping[str, str] | None = None,
        subresource: str = "",
    ) -> dict[str, Any]:
        path = await self._path(ref, name=ref.name)
        return await self._request(ref, method, f"{path}/{subresource}" if subresource else path, body, content, query)

    async def _path(self, ref: Ref, *, name: str | None) -> str:
        plural, namespaced = await self._kind(ref)
        parts = ["apis" if "/" in ref.api_version else "api", ref.api_version]
        if namespaced and ref.namespace:
            parts += ["namespaces", quote(ref.namespace, safe="")]
        elif namespaced and name:
            raise ValueError(f"{ref} needs a namespace")
        return "/" + "/".join([*parts, plural, *([quote(name, safe="")] if name else [])])

    async def _kind(self, ref: Ref) -> tuple[str, bool]:
        """Plural and whether it has namespaces. The client's own discovery keeps a cache file that others may write."""
        if ref.kind not in self._kinds.get(ref.api_version, {}):
            path = f"/{'apis' if '/' in ref.api_version else 'api'}/{ref.api_version}"
            try:
                served = (await self._request(ref, "GET", path))["resources"]
            except ClusterError as error:
                if error.reason != NOT_FOUND:
                    raise
                served = []
            self._kinds[ref.api_version] = {
                kind["kind"]: (kind["name"], kind["namespaced"]) for kind in served if "/" not in kind["name"]
            }
        try:
            return self._kinds[ref.api_version][ref.kind]
        except KeyError:
            message = (
                f"the API server has no kind {ref.kind} in {ref.api_version}: install its CustomResourceDefinition"
            )
            raise ClusterError(ref, KIND_UNKNOWN, message) from None

    async def _request(
        self,
        ref: Ref,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content: str = "",
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._call_seconds):
                request = await self._api.param_serialize(
                    method,
                    path,
                    query_params=list((query or {}).items()),
                    header_params={"Accept": JSON, "Content-Type": content or JSON},
                    auth_settings=["BearerToken"],
                )
                answer = await self._api.call_api(*request[:3], None if body is None else dict(body))
                said = await answer.read()
            if not 200 <= answer.status <= 299:
                raise ClusterError.answered(ref, answer.status, answer.reason or "", _text(said))
            found: dict[str, Any] = orjson.loads(said)
        except TimeoutError:
            message = f"no answer within {self._call_seconds:g} s: see whether the API server is overloaded or cut off"
            raise ClusterError(ref, TIMEOUT, message) from None
        except (aiohttp.ClientError, OSError, orjson.JSONDecodeError) as error:
            raise ClusterError(ref, UNREACHABLE, f"the API server cannot be reached: {error}") from error
        return found


def _proxy(server: str) -> str | None:
    """The environment's proxy for this server."""
    parts = urlsplit(server)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _text(body: object) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")


def _bare(ref: Ref) -> dict[str, Any]:
    metadata = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}


def _ownership() -> dict[str, str]:
    return {"fieldManager": names.FIELD_MANAGER, "force": "true"}


def _clipped(text: str) -> str:
    if len(text.encode()) <= NOTE_BYTES:
        return text
    return text.encode()[: NOTE_BYTES - 3].decode("utf-8", "ignore") + "..."
