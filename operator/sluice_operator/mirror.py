"""An in-memory copy of what is watched, found by name and by namespace. Pure: others feed it, it asks nobody.

An update says which namespaces it concerns, so that they, and no others, are looked at again.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.kinds import API_VERSION
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.render.llama_cpp import owner_label
from sluice_operator.sources import Source

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_Model = tuple[str, str]
"""Namespace and owner label of a QuantisedModel: what its slices carry of its name."""


class Mirror:
    """Objects as the API server gave them last, without managedFields."""

    def __init__(self) -> None:
        self._objects: dict[Ref, Manifest] = {}
        self._by_namespace: dict[str, dict[Ref, Manifest]] = {}
        self._by_kind: dict[tuple[str, str], dict[Ref, Manifest]] = {}
        self._named: dict[Ref, frozenset[_Model]] = {}
        self._users: dict[_Model, set[Ref]] = {}
        self._clock = 0
        self._touched: dict[Ref, int] = {}
        self._listed: set[tuple[Source, str | None]] = set()
        self._expected: frozenset[tuple[Source, str | None]] | None = None

    def expect(self, scopes: Iterable[tuple[Source, str | None]]) -> None:
        """Says which lists make it complete: a source, and a namespace or None for all of them."""
        self._expected = frozenset(scopes)

    @property
    def ready(self) -> bool:
        """Whether each expected list was there once, so that what is missing here is missing in the cluster."""
        return self._expected is not None and self._expected <= self._listed

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, ref: Ref) -> Manifest | None:
        """One object."""
        return self._objects.get(ref)

    def of(self, namespace: str) -> Mapping[Ref, Manifest]:
        """Everything of a namespace."""
        return self._by_namespace.get(namespace, {})

    def of_kind(self, api_version: str, kind: str) -> Mapping[Ref, Manifest]:
        """Everything of one kind."""
        return self._by_kind.get((api_version, kind), {})

    def namespaces(self) -> frozenset[str]:
        """Namespaces that hold something."""
        return frozenset(self._by_namespace)

    def update(self, event_type: str | None, body: Mapping[str, Any]) -> frozenset[str]:
        """Takes one event of a watch (ADDED, MODIFIED, DELETED; None: of a list) and gives the namespaces concerned.

        Empty: it was known already. `body` is a whole object with apiVersion and kind.
        """
        ref = Ref.of(body)
        held = self._objects.get(ref)
        # Events of an object and of its namesake before it come in any order.
        if held is not None and _version(body) < _version(held):
            return frozenset()
        self._clock += 1
        self._touched[ref] = self._clock
        return self._remove(ref) if event_type == "DELETED" else self._put(ref, body)

    def amend(self, answer: Mapping[str, Any]) -> None:
        """Takes an object as the writing of its status answered it; the watch's word of that is no news then.

        Where more than the status is new in it, the status alone is taken, so that the watch tells of the rest.
        """
        ref = Ref.of(answer)
        held = self._objects.get(ref)
        if held is None or _version(answer) < _version(held):
            return
        new = _slim(answer)
        self._clock += 1
        self._touched[ref] = self._clock
        alone = _but_status(held) == _but_status(new)
        self._store(ref, new if alone else {**held, "status": new.get("status") or {}})

    def mark(self) -> int:
        """A moment, to be taken before a list is asked for and given to `replace`."""
        return self._clock

    def replace(
        self, source: Source, namespace: str | None, objects: Iterable[Manifest], since: int
    ) -> tuple[frozenset[str], tuple[Ref, ...]]:
        """Takes a whole list that was asked for at the moment `since`; what an event touched after it stays as it is.

        Gives the namespaces concerned, and what was new or other than here.
        """
        held = {ref for ref in self.of_kind(source.api_version, source.kind) if namespace in (None, ref.namespace)}
        concerned: set[str] = set()
        corrected = []
        for body in objects:
            ref = Ref.of(body)
            held.discard(ref)
            if self._touched.get(ref, 0) <= since and (changed := self._put(ref, body)):
                concerned |= changed
                corrected.append(ref)
        for ref in held:
            if self._touched.get(ref, 0) <= since:
                concerned |= self._remove(ref)
        self._forget(source)
        self._listed.add((source, namespace))
        return frozenset(concerned), tuple(corrected)

    def _forget(self, source: Source) -> None:
        """Moments of what is gone matter only to a list that was asked for before it went: there is none now."""
        kind = (source.api_version, source.kind)
        for ref in [r for r in self._touched if (r.api_version, r.kind) == kind and r not in self._objects]:
            del self._touched[ref]

    def _put(self, ref: Ref, body: Mapping[str, Any]) -> frozenset[str]:
        old = self._objects.get(ref)
        version = body["metadata"].get("resourceVersion")
        if old is not None and version is not None and old["metadata"].get("resourceVersion") == version:
            return frozenset()
        kept = _slim(body)
        self._store(ref, kept)
        if ref.kind == "ModelRoute":
            self._name(ref, frozenset(_models(kept, ref.namespace or "")))
        return self._concerned(ref, kept)

    def _store(self, ref: Ref, body: Manifest) -> None:
        self._objects[ref] = body
        self._by_kind.setdefault((ref.api_version, ref.kind), {})[ref] = body
        if ref.namespace is not None:
            self._by_namespace.setdefault(ref.namespace, {})[ref] = body

    def _remove(self, ref: Ref) -> frozenset[str]:
        old = self._objects.pop(ref, None)
        if old is None:
            return frozenset()
        del self._by_kind[ref.api_version, ref.kind][ref]
        if ref.namespace is not None:
            rest = self._by_namespace[ref.namespace]
            del rest[ref]
            if not rest:
                del self._by_namespace[ref.namespace]
        self._name(ref, frozenset())
        return self._concerned(ref, old)

    def _name(self, route: Ref, models: frozenset[_Model]) -> None:
        """Remembers which models a route names."""
        for model in self._named.pop(route, frozenset()) - models:
            self._users[model].discard(route)
            if not self._users[model]:
                del self._users[model]
        for model in models:
            self._users.setdefault(model, set()).add(route)
        if models:
            self._named[route] = models

    def _concerned(self, ref: Ref, body: Manifest) -> frozenset[str]:
        own = {ref.namespace} if ref.namespace else set()
        model = _model(ref, body)
        users = self._users.get(model, ()) if model else ()
        return frozenset(own | {route.namespace for route in users if route.namespace})


def _version(body: Mapping[str, Any]) -> int:
    """The resourceVersion: a number that grows with each write, as Kubernetes promises by now."""
    text = body["metadata"].get("resourceVersion") or "0"
    return int(text) if text.isdecimal() else 0


def _slim(body: Mapping[str, Any]) -> Manifest:
    """The object without what is long and tells nothing."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != _LAST_APPLIED}
    return {**body, "metadata": metadata}


def _but_status(body: Manifest) -> Manifest:
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    return {**body, "metadata": metadata, "status": None}


def _models(route: Manifest, namespace: str) -> Iterator[_Model]:
    """The models that a route names; one that the API server let through malformed names what it can."""
    spec = route.get("spec")
    backends = spec.get("backends") if isinstance(spec, Mapping) else None
    for backend in backends if isinstance(backends, list) else ():
        reference = backend.get("quantisedModel") if isinstance(backend, Mapping) else None
        if isinstance(reference, Mapping) and isinstance(reference.get("name"), str):
            yield reference.get("namespace") or namespace, owner_label(reference["name"])


def _model(ref: Ref, body: Manifest) -> _Model | None:
    """The model that an object is, or is an address of."""
    if (ref.api_version, ref.kind) == (API_VERSION, "QuantisedModel"):
        return ref.namespace or "", owner_label(ref.name)
    label = (body["metadata"].get("labels") or {}).get(names.OWNER_MODEL)
    return (ref.namespace or "", label) if ref.kind == "EndpointSlice" and label else None
