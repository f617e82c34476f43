"""What a BatchWindow brings into a namespace, and what goes with the last one."""

import dataclasses
from typing import Any

from doubles.nights import CLAIM, GATEWAY, WORKER, at, look, namespace, running
from doubles.objects import gateway, route, window
from doubles.planning import Data, child, published, secret_values, seen
from sluice_operator import names
from sluice_operator.credentials import entry
from sluice_operator.plan.credentials_secret import _index
from sluice_operator.plan.seen import Secret, Seen
from sluice_operator.render.batch import LEASE_SECONDS

NOON = at("12:00")
HOOKS = Secret("hooks", {"key": "whsec_secret"})
SIGNED: Data = {"signingKey": {"secret": "hooks", "key": "key"}, "allow": ["https://hooks.example.com"]}


def template(of: Seen, name: str) -> dict[str, Any]:
    found: dict[str, Any] = child(of, "Deployment", name)["spec"]["template"]
    return found


def without(of: Seen, kind: str) -> Seen:
    return dataclasses.replace(of, objects=tuple(data for data in of.objects if data["kind"] != kind))


def test_the_worker_reads_what_the_gateway_reads_and_has_no_data_port() -> None:
    now = running(namespace(), NOON)
    spec = template(now, names.BATCH_NAME)["spec"]
    (container,) = spec["containers"]
    assert container["args"][:2] == ["--cluster", "batch"]
    assert "--port" not in container["args"]
    assert [port["name"] for port in container["ports"]] == ["admin"]
    assert spec["serviceAccountName"] == names.BATCH_NAME
    assert spec["terminationGracePeriodSeconds"] > LEASE_SECONDS
    for role in (names.READER_ROLE, names.CREDENTIALS_SECRET):
        accounts = [subject["name"] for subject in child(now, "RoleBinding", role)["subjects"]]
        assert accounts == [names.BATCH_NAME, names.GATEWAY_NAME]
    for kind in ("ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"):
        assert child(now, kind, names.BATCH_NAME)


def test_all_goes_with_the_last_window_or_route_but_the_volume() -> None:
    now = running(namespace(), NOON)
    for kind in ("BatchWindow", "ModelRoute"):
        left, _ = look(without(now, kind), NOON)
        assert {ref.name for ref in left.children if "batch" in ref.name} == {names.FILES_CLAIM}
    again, done = look(look(without(now, "BatchWindow"), NOON)[0], NOON)
    assert done.empty
    assert CLAIM in again.children


def test_the_gateway_mounts_the_volume_once_there_is_one_and_the_worker_at_once() -> None:
    def mounted(of: Seen, name: str) -> bool:
        return any(volume["name"] == "sluice-files" for volume in template(of, name)["spec"]["volumes"])

    first, _ = look(namespace(), NOON)
    assert (mounted(first, names.BATCH_NAME), mounted(first, names.GATEWAY_NAME)) == (True, False)
    now = running(namespace(), NOON)
    assert (mounted(now, names.BATCH_NAME), mounted(now, names.GATEWAY_NAME)) == (True, True)


def test_many_gateways_need_a_volume_that_many_nodes_can_mount() -> None:
    many, _ = look(namespace(), NOON)
    assert child(many, "PersistentVolumeClaim", names.FILES_CLAIM)["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "affinity" not in template(many, names.BATCH_NAME)["spec"]
    single = gateway(replicas=1, state={"redis": {"managed": {}}})
    one = running(seen(route("r"), window("r", files={"pvc": {"storage": "1Gi"}}), single), NOON)
    assert child(one, "PersistentVolumeClaim", names.FILES_CLAIM)["spec"]["accessModes"] == ["ReadWriteOnce"]
    for name in (names.BATCH_NAME, names.GATEWAY_NAME):
        found = template(one, name)
        assert found["metadata"]["labels"][names.FILES] == "true"
        assert found["spec"]["affinity"]["podAffinity"]


def test_the_volume_is_made_once_and_never_changed() -> None:
    now = running(namespace(), NOON)
    objects = tuple(
        {**data, "spec": {**data["spec"], "files": {"pvc": {"storage": "5Gi"}}}}
        if data["kind"] == "BatchWindow"
        else data
        for data in now.objects
    )
    _, done = look(dataclasses.replace(now, objects=objects), NOON)
    assert not [each for each in done.apply if each["kind"] == "PersistentVolumeClaim"]


def test_a_volume_that_is_deleted_is_let_go_of_and_made_anew() -> None:
    now = running(namespace(), NOON)
    claim = now.children[CLAIM]
    leaving = {**claim, "metadata": {**claim["metadata"], "deletionTimestamp": "2027-01-15T12:00:00Z"}}
    free, _ = look(dataclasses.replace(now, children={**now.children, CLAIM: leaving}), NOON)
    for name in (names.BATCH_NAME, names.GATEWAY_NAME):
        assert "sluice-files" not in {volume["name"] for volume in template(free, name)["spec"]["volumes"]}
    gone = {ref: found for ref, found in free.children.items() if ref != CLAIM}
    again, _ = look(dataclasses.replace(free, children=gone), NOON)
    assert CLAIM in again.children
    assert "sluice-files" in {volume["name"] for volume in template(again, names.BATCH_NAME)["spec"]["volumes"]}


def test_redis_writes_each_request_to_its_disk_before_it_is_acknowledged() -> None:
    def synced(of: Seen) -> str:
        arguments = child(of, "StatefulSet", names.REDIS_NAME)["spec"]["template"]["spec"]["containers"][0]["args"]
        return str(arguments[arguments.index("--appendfsync") + 1])

    now = running(namespace(), NOON)
    assert synced(now) == "always"
    assert synced(look(without(now, "BatchWindow"), NOON)[0]) == "everysec"


def test_a_broken_gateway_or_window_keeps_the_worker() -> None:
    now = running(namespace(), NOON)
    for kind in ("SluiceGateway", "BatchWindow"):
        broken = tuple({**data, "spec": {"unknown": 1}} if data["kind"] == kind else data for data in now.objects)
        kept, _ = look(dataclasses.replace(now, objects=broken), NOON)
        assert WORKER in kept.children


def test_the_signing_key_is_with_the_gateway_and_is_sent_nowhere() -> None:
    now, _ = look(dataclasses.replace(namespace(webhooks=SIGNED), secrets={"hooks": HOOKS}), NOON)
    held = secret_values(now, names.CREDENTIALS_SECRET)
    name = entry("hooks", "key")
    assert held[name] == "whsec_secret"
    assert _index(held)[name]["hosts"] == []
    hooks = published(now).windows["night"].webhooks
    assert hooks is not None
    assert hooks.signing_key.version == _index(held)[name]["version"]
    assert "whsec_secret" not in published(now).to_json().decode()


def test_a_signing_key_whose_secret_vanished_is_kept_and_one_that_was_taken_back_is_not() -> None:
    now, _ = look(dataclasses.replace(namespace(webhooks=SIGNED), secrets={"hooks": HOOKS}), NOON)
    gone, _ = look(dataclasses.replace(now, secrets={}), NOON)
    assert secret_values(gone, names.CREDENTIALS_SECRET)[entry("hooks", "key")] == "whsec_secret"
    assert published(gone).windows["night"].webhooks == published(now).windows["night"].webhooks
    back, _ = look(dataclasses.replace(now, secrets={}, unlabelled=frozenset({"hooks"})), NOON)
    assert entry("hooks", "key") not in secret_values(back, names.CREDENTIALS_SECRET)
    assert published(back).windows["night"].webhooks is None


def test_pods_of_sidecars_are_no_worker() -> None:
    now, _ = look(dataclasses.replace(namespace(), pods=(GATEWAY,)), NOON)
    accounts = [subject["name"] for subject in child(now, "RoleBinding", names.READER_ROLE)["subjects"]]
    assert accounts == [names.BATCH_NAME, names.GATEWAY_NAME]
