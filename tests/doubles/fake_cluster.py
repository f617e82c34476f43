"""A cluster in memory, with server-side apply as one field manager sees it; it can stop a caller after any write."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from sluice_operator.cluster_error import NOT_FOUND, ClusterError
from sluice_operator.plan.plan import Event, Manifest, Ref
from sluice_operator.token_identity import TokenIdentity


class Killed(BaseException):
    """The caller's process ends here: no handler of errors sees it."""


class FakeCluster:
    """A Cluster of the objects that were put into it.

    An apply takes away what the apply before it set and this one does not; the rest stays. Lists of things with names
    are merged by name, all other lists replaced. What changes nothing keeps its resourceVersion.
    """

    def __init__(self, *objects: Manifest) -> None:
        self.objects: dict[Ref, dict[str, Any]] = {}
        self.events: list[Event] = []
        self.writes: list[tuple[str, Ref]] = []
        """(apply, delete, status, event or label; the object), refused ones left out."""
        self.told: Callable[[str, Ref], None] = lambda _verb, _ref: None
        """Hears of each write once it is done, before the caller does."""
        self.tokens: dict[tuple[str, str], TokenIdentity] = {}
        """(token, audience) -> whose it is."""
        self._owned: dict[tuple[Ref, str], Any] = {}
        self._refused: dict[tuple[str, Ref], ClusterError] = {}
        self._left: int | None = None
        self._version = 0
        for manifest in objects:
            self.put(manifest)

    def put(self, manifest: Manifest) -> None:
        """Somebody else writes an object."""
        ref = Ref.of(manifest)
        self._store(ref, copy.deepcopy(dict(manifest)))

    def remove(self, ref: Ref) -> None:
        """Somebody else deletes an object."""
        del self.objects[ref]

    def copy(self) -> "FakeCluster":
        """Another one in the same state, without its history."""
        made = FakeCluster()
        made.objects, made._owned = copy.deepcopy(self.objects), copy.deepcopy(self._owned)
        made._version = self._version
        return made

    def stop_after(self, writes: int | None) -> None:
        """Lets so many more writes happen and raises Killed right after the last; 0: before the next. None: never."""
        self._left = writes

    def refuse(self, verb: str, ref: Ref, reason: str = "Forbidden", code: int = 403) -> None:
        """Makes this kind of write to this object fail from now on."""
        self._refused[verb, ref] = ClusterError(ref, reason, "refused by the test", code=code)

    def allow(self) -> None:
        """Refuses nothing any more."""
        self._refused.clear()

    async def get(self, ref: Ref) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get(ref))

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        return [
            copy.deepcopy(found)
            for ref, found in sorted(self.objects.items(), key=lambda item: str(item[0]))
            if (ref.api_version, ref.kind) == (api_version, kind)
            and namespace in (None, ref.namespace)
            and (labels or {}).items() <= (found["metadata"].get("labels") or {}).items()
        ]

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        ref = Ref.of(manifest)
        self._starts("apply", ref)
        intent = copy.deepcopy(dict(manifest))
        old = self._owned.get((ref, ""), {})
        self._store(ref, _merged(_without(self.objects.get(ref, {}), old, intent), intent))
        self._owned[ref, ""] = intent
        self._ended("apply", ref)
        return copy.deepcopy(self.objects[ref])

    async def apply_status(self, ref: Ref, status: Mapping[str, Any]) -> dict[str, Any]:
        self._starts("status", ref)
        if ref not in self.objects:
            raise ClusterError(ref, NOT_FOUND, "not found", code=404)
        intent = {"status": copy.deepcopy(dict(status))}
        old = self._owned.get((ref, "status"), {})
        self._store(ref, _merged(_without(self.objects[ref], old, intent), intent))
        self._owned[ref, "status"] = intent
        self._ended("status", ref)
        return copy.deepcopy(self.objects[ref])

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        self._starts("delete", ref)
        found = self.objects.get(ref)
        if found and uid in (None, found["metadata"]["uid"]):
            del self.objects[ref]
            self._owned = {key: intent for key, intent in self._owned.items() if key[0] != ref}
        self._ended("delete", ref)

    async def event(self, event: Event) -> None:
        self._starts("event", event.ref)
        self.events.append(event)
        self._ended("event", event.ref)

    async def label(self, ref: Ref, labels: Mapping[str, str | None]) -> None:
        self._starts("label", ref)
        if ref not in self.objects:
            raise ClusterError(ref, NOT_FOUND, "not found", code=404)
        found = copy.deepcopy(self.objects[ref])
        both = {**(found["metadata"].get("labels") or {}), **labels}
        found["metadata"]["labels"] = {key: value for key, value in both.items() if value is not None}
        self._store(ref, found)
        self._ended("label", ref)

    async def review_token(self, token: str, audience: str) -> TokenIdentity | None:
        return self.tokens.get((token, audience))

    def _starts(self, verb: str, ref: Ref) -> None:
        if self._left == 0:
            raise Killed
        refused = self._refused.get((verb, ref))
        if refused:
            raise refused

    def _ended(self, verb: str, ref: Ref) -> None:
        self.writes.append((verb, ref))
        self.told(verb, ref)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise Killed

    def _store(self, ref: Ref, new: dict[str, Any]) -> None:
        old = self.objects.get(ref)
        server = old["metadata"] if old else {"uid": f"uid-{self._next()}", "generation": 1}
        kept = {key: server[key] for key in ("uid", "generation", "resourceVersion") if key in server}
        new["metadata"] = {**new["metadata"], **kept}
        if new == old:
            return
        if old and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        new["metadata"]["resourceVersion"] = str(self._next())
        self.objects[ref] = new

    def _next(self) -> int:
        self._version += 1
        return self._version


def _named(value: Any) -> bool:
    """Whether it is a list of things with names; references to other objects, which say their kind, are not."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) and "name" in item and "kind" not in item for item in value)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {item["name"]: item for item in items}


def _without(live: Any, old: Any, new: Any) -> Any:
    """`live` without what `old` set and `new` does not."""
    if isinstance(live, dict) and isinstance(old, dict):
        new = new if isinstance(new, dict) else {}
        return {
            key: _without(value, old[key], new.get(key)) if key in old else value
            for key, value in live.items()
            if key in new or key not in old or _others(value, old[key])
        }
    if _named(live) and _named(old) and _named(new):
        return list(_without(_by_name(live), _by_name(old), _by_name(new)).values())
    return live


def _others(live: Any, old: Any) -> bool:
    """Whether somebody else has fields in a mapping that is no longer wanted."""
    return isinstance(live, dict) and isinstance(old, dict) and not live.keys() <= old.keys()


def _merged(live: Any, new: Any) -> Any:
    if isinstance(live, dict) and isinstance(new, dict):
        return {**live, **{key: _merged(live.get(key), value) for key, value in new.items()}}
    if _named(live) and _named(new):
        return list(_merged(_by_name(live), _by_name(new)).values())
    return copy.deepcopy(new)
