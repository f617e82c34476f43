"""The mirror holds what watches and lists tell, and says which namespaces a change concerns."""

from typing import Any

import pytest

from sluice_operator import names
from sluice_operator.kinds import API_VERSION
from sluice_operator.mirror import Mirror
from sluice_operator.plan.plan import Ref
from sluice_operator.render.llama_cpp import owner_label
from sluice_operator.sources import MADE, SECRETS, USERS, sources

Data = dict[str, Any]
MAP = MADE[0]


def made(name: str = "m", version: int = 1, uid: str = "u", **more: Any) -> Data:
    metadata = {"namespace": "team", "name": name, "resourceVersion": str(version), "uid": uid}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **more}


def route(namespace: str, *models: Data, version: int = 1) -> Data:
    metadata = {"namespace": namespace, "name": "r", "resourceVersion": str(version)}
    backends = [{"name": "b", "quantisedModel": model} for model in models]
    return {"apiVersion": API_VERSION, "kind": "ModelRoute", "metadata": metadata, "spec": {"backends": backends}}


def model(version: int = 1, name: str = "small") -> Data:
    metadata = {"namespace": "models", "name": name, "resourceVersion": str(version)}
    return {"apiVersion": API_VERSION, "kind": "QuantisedModel", "metadata": metadata}


def test_an_object_is_found_by_name_and_by_namespace_until_it_is_deleted() -> None:
    mirror = Mirror()
    body = made(data={"a": "1"})
    assert mirror.update("ADDED", body) == {"team"}
    assert mirror.get(Ref.of(body)) == body
    assert dict(mirror.of("team")) == {Ref.of(body): body}
    assert mirror.update("DELETED", made(version=2)) == {"team"}
    assert (mirror.get(Ref.of(body)), len(mirror), mirror.namespaces()) == (None, 0, frozenset())


def test_what_is_known_already_concerns_nobody() -> None:
    mirror = Mirror()
    mirror.update(None, made())
    assert mirror.update("MODIFIED", made()) == frozenset()
    assert mirror.update("DELETED", made("other")) == frozenset()


def test_managed_fields_and_the_copy_that_kubectl_keeps_are_not_held() -> None:
    mirror = Mirror()
    body = made()
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "1"}
    body["metadata"] |= {"managedFields": [{"manager": "x"}], "annotations": annotations}
    mirror.update("ADDED", body)
    held = mirror.get(Ref.of(body))
    assert held is not None
    assert "managedFields" not in held["metadata"]
    assert held["metadata"]["annotations"] == {"mine": "1"}


@pytest.mark.parametrize("late", ["MODIFIED", "DELETED"])
def test_a_late_event_of_a_namesake_before_it_changes_nothing(late: str) -> None:
    mirror = Mirror()
    new = made(version=10, uid="new")
    mirror.update("ADDED", new)
    assert mirror.update(late, made(version=9, uid="old")) == frozenset()
    assert mirror.get(Ref.of(new)) == new


def test_a_model_concerns_the_namespaces_whose_routes_name_it_and_its_own() -> None:
    mirror = Mirror()
    mirror.update(None, route("a", {"name": "small", "namespace": "models"}))
    mirror.update(None, route("b", {"name": "small"}))
    assert mirror.update("ADDED", model()) == {"a", "models"}
    mirror.update("MODIFIED", route("a", {"name": "other", "namespace": "models"}, version=2))
    assert mirror.update("MODIFIED", model(2)) == {"models"}


def test_an_address_of_a_model_concerns_who_uses_the_model() -> None:
    mirror = Mirror()
    long = "a" * 70
    mirror.update(None, route("a", {"name": long, "namespace": "models"}))
    mirror.update(None, model(name=long))
    labels = {names.COMPONENT: "model", names.OWNER_MODEL: owner_label(long)}
    metadata = {"namespace": "models", "name": "s", "labels": labels, "resourceVersion": "3"}
    slices = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    assert mirror.update("ADDED", slices) == {"a", "models"}


def test_a_route_that_is_malformed_concerns_its_namespace() -> None:
    body = route("a")
    body["spec"] = {"backends": ["x", {"quantisedModel": "y"}, {"quantisedModel": {}}]}
    assert Mirror().update("ADDED", body) == {"a"}


def test_a_list_puts_right_what_a_watch_missed() -> None:
    mirror = Mirror()
    mirror.update("ADDED", made("gone"))
    mirror.update("ADDED", made("old"))
    mirror.update("ADDED", made("same"))
    objects = [made("old", 5), made("same"), made("new")]
    concerned, corrected = mirror.replace(MAP, None, objects, mirror.mark())
    assert concerned == {"team"}
    assert [ref.name for ref in corrected] == ["old", "new"]
    assert sorted(ref.name for ref in mirror.of("team")) == ["new", "old", "same"]


def test_a_list_is_older_than_what_was_told_while_it_was_under_way() -> None:
    mirror = Mirror()
    mirror.update("ADDED", made("deleted"))
    since = mirror.mark()
    mirror.update("DELETED", made("deleted", 4))
    mirror.update("ADDED", made("added", 5))
    assert mirror.replace(MAP, None, [made("deleted")], since) == (frozenset(), ())
    assert [ref.name for ref in mirror.of("team")] == ["added"]


def test_a_list_of_one_namespace_leaves_the_others() -> None:
    mirror = Mirror()
    mirror.update("ADDED", made())
    mirror.replace(MAP, "elsewhere", [], mirror.mark())
    assert len(mirror) == 1


def test_it_is_ready_when_every_list_was_there() -> None:
    mirror = Mirror()
    assert not mirror.ready
    mirror.expect([(MAP, "a"), (MAP, "b")])
    mirror.replace(MAP, "a", [], 0)
    assert not mirror.ready
    mirror.replace(MAP, "b", [], 0)
    assert mirror.ready


def test_a_written_status_is_seen_before_it_is_told() -> None:
    mirror = Mirror()
    mirror.update("ADDED", made())
    written = {**made(version=2), "status": {"x": 1}}
    mirror.amend(written)
    held = mirror.get(Ref.of(made()))
    assert held is not None
    assert held["status"] == {"x": 1}
    assert not mirror.update("MODIFIED", written), "its own write wakes nobody"


def test_what_else_is_new_beside_a_written_status_is_still_told() -> None:
    mirror = Mirror()
    mirror.update("ADDED", made())
    changed = {**made(version=2), "spec": {"models": ["new"]}}
    mirror.amend({**changed, "metadata": {**changed["metadata"], "resourceVersion": "3"}, "status": {"x": 1}})
    held = mirror.get(Ref.of(made()))
    assert held is not None
    assert held["status"] == {"x": 1}
    assert mirror.update("MODIFIED", changed) == {"team"}


def test_secrets_and_pods_are_picked_by_their_labels_and_http_routes_only_where_they_are() -> None:
    assert SECRETS.selector == "sluice.dev/credential in (true,managed)"
    assert {labels["sluice.dev/credential"] for labels in SECRETS.picks} == {"true", "managed"}
    assert all(source.selector for source in sources(gateway_api=True) if source not in USERS)
    assert len(sources(gateway_api=True)) == len(sources(gateway_api=False)) + 1
    assert USERS[0].picks == ({},)
