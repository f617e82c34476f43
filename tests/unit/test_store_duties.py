"""What managed stores are told, and when Qdrant's image may change."""

import dataclasses
from typing import Any

import pytest

from doubles.objects import policy, route
from doubles.planning import NOW, child, pod, published, ready, report, secret_values, seen, settled, status
from sluice_operator import names
from sluice_operator.conditions import condition
from sluice_operator.installation import Images
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import QdrantDuty, RedisDuty, Ref
from sluice_operator.plan.seen import PolicyReport, Seen, Snapshots

NEW = "qdrant/qdrant:v99"
OLD = Images().qdrant


def using(kind: str, **managed: Any) -> Seen:
    """A namespace whose policy has a managed store of that kind; its workload was made, and nothing is ready."""
    return settled(seen(route("r", cachePolicy={"name": "p"}), policy("p", store={kind: {"managed": managed}})))


def running(now: Seen, kind: str, pods: int = 1, **status: Any) -> Seen:
    """The same, and so many pods of the server are ready."""
    ref = Ref("apps/v1", "StatefulSet", now.namespace, {"qdrant": names.QDRANT_NAME, "redis": names.REDIS_NAME}[kind])
    found = {**now.children[ref], "status": {"readyReplicas": pods, **status}}
    return dataclasses.replace(now, children={**now.children, ref: found})


def upgraded(now: Seen, snapshots: Snapshots | None = None, image: str = NEW) -> Seen:
    """The same, under an operator that is told to run another Qdrant."""
    installation = dataclasses.replace(now.installation, images=Images(qdrant=image))
    return dataclasses.replace(now, installation=installation, snapshots=snapshots)


def image(of: Seen) -> str:
    found: str = child(of, "StatefulSet", names.QDRANT_NAME)["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def test_a_whole_qdrant_is_to_hold_the_collection_that_the_config_names() -> None:
    now = running(using("qdrant"), "qdrant")
    (duty,) = plan(now, NOW).duties
    assert isinstance(duty, QdrantDuty)
    store = published(now).policies["p"].store
    assert store is not None
    assert store.type == "qdrant"
    assert (duty.url, duty.collections) == (store.url, (store.collection,))
    assert store.collection.startswith(duty.prefix)
    assert duty.nodes == ("http://sluice-qdrant-0.sluice-qdrant-headless.team.svc:6333",)
    assert duty.key == secret_values(now, names.STORE_ADMIN_SECRET)["qdrant-key"]
    assert duty.key not in repr(duty)
    assert duty.save_before == ""


def test_a_whole_redis_is_to_know_the_planned_users() -> None:
    now = running(using("redis"), "redis")
    (duty,) = plan(now, NOW).duties
    assert isinstance(duty, RedisDuty)
    admin = secret_values(now, names.STORE_ADMIN_SECRET)
    assert duty.address == "sluice-redis.team.svc:6379"
    assert admin["redis-users"].endswith(f"user {duty.revision} off\n")
    assert f"user {duty.user} on #" in admin["redis-users"]
    assert duty.password == admin["redis-operator"]
    assert duty.password not in repr(duty)


@pytest.mark.parametrize("kind", ["qdrant", "redis"])
def test_a_server_that_is_not_whole_is_told_nothing_and_its_policy_says_so(kind: str) -> None:
    now = using(kind)
    assert plan(now, NOW).duties == ()
    found = condition(status(now, "CachePolicy", "p"), "Ready")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "StoreUnavailable")
    assert f"no pod of StatefulSet sluice-{kind} is ready" in found["message"]
    assert ready(settled(running(now, kind)), "CachePolicy", "p") == ("True", "Valid")


def test_a_cluster_is_whole_with_all_of_its_nodes_and_a_status_of_its_present_template() -> None:
    now = using("qdrant", replicas=3)
    assert plan(running(now, "qdrant", 2), NOW).duties == ()
    (duty,) = plan(running(now, "qdrant", 3), NOW).duties
    assert isinstance(duty, QdrantDuty)
    assert len(duty.nodes) == 3
    ref = Ref("apps/v1", "StatefulSet", "team", names.QDRANT_NAME)
    changed = {**now.children[ref], "metadata": {**now.children[ref]["metadata"], "generation": 2}}
    rolling = dataclasses.replace(now, children={**now.children, ref: changed})
    assert plan(running(rolling, "qdrant", 3, observedGeneration=1), NOW).duties == ()
    assert plan(running(rolling, "qdrant", 3, observedGeneration=2), NOW).duties == (duty,)


def test_a_gateways_complaint_makes_the_operator_look() -> None:
    now, gateway = running(using("redis"), "redis"), pod("one")
    told = report(gateway, published(now), policies={"p": PolicyReport(store="WRONGPASS")})
    (duty,) = plan(dataclasses.replace(now, pods=(gateway,), reports=(told,)), NOW).duties
    assert duty.doubted
    assert not plan(now, NOW).duties[0].doubted


def test_no_store_no_duties() -> None:
    assert plan(settled(seen(route("r"))), NOW).duties == ()


def test_another_image_waits_for_snapshots_that_are_asked_for() -> None:
    waiting = settled(upgraded(running(using("qdrant"), "qdrant")))
    assert image(waiting) == OLD
    (duty,) = plan(waiting, NOW).duties
    assert isinstance(duty, QdrantDuty)
    assert duty.save_before == NEW
    assert ready(waiting, "CachePolicy", "p") == ("True", "Valid")
    assert image(settled(dataclasses.replace(waiting, snapshots=Snapshots(NEW)))) == NEW


def test_snapshots_for_another_image_do_not_count() -> None:
    assert image(settled(upgraded(running(using("qdrant"), "qdrant"), Snapshots("qdrant/qdrant:v98")))) == OLD


def test_snapshots_that_fail_keep_the_image_and_the_policy_says_why() -> None:
    now = settled(upgraded(running(using("qdrant"), "qdrant"), Snapshots(NEW, "no space left")))
    assert image(now) == OLD
    assert ready(now, "CachePolicy", "p") == ("True", "Valid")
    blocked = condition(status(now, "CachePolicy", "p"), "StoreUpgradeBlocked")
    assert blocked is not None
    assert NEW in blocked["message"]
    assert "no space left" in blocked["message"]
    # Not even a restart of the old one lets the new one in.
    assert image(settled(running(now, "qdrant", 0))) == OLD
    healed = settled(dataclasses.replace(now, snapshots=Snapshots(NEW)))
    assert image(healed) == NEW
    assert condition(status(healed, "CachePolicy", "p"), "StoreUpgradeBlocked") is None


def test_a_server_that_never_became_ready_gets_the_new_image_at_once() -> None:
    assert image(settled(upgraded(using("qdrant")))) == NEW


@pytest.mark.parametrize(("kind", "key"), [("qdrant", "qdrant-key"), ("redis", "redis-operator")])
def test_a_lost_key_is_made_anew_and_the_server_starts_with_it(kind: str, key: str) -> None:
    now = using(kind)
    ref = Ref("v1", "Secret", "team", names.STORE_ADMIN_SECRET)
    again = settled(dataclasses.replace(now, children={k: v for k, v in now.children.items() if k != ref}))
    assert secret_values(again, ref.name)[key] != secret_values(now, ref.name)[key]

    def version(of: Seen) -> str:
        template = child(of, "StatefulSet", f"sluice-{kind}")["spec"]["template"]
        return str(template["metadata"]["annotations"][names.KEY_VERSION])

    assert version(again) != version(now)
    assert secret_values(now, ref.name)[key] not in version(now)
