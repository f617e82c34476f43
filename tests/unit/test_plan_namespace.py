"""What a namespace gets with its first route, keeps while objects are broken, and loses with its last route."""

import dataclasses
import json
from typing import Any

from doubles.objects import gateway, managed, model, policy, provider, route
from doubles.planning import NOW, applied, changed, child, lived, pod, published, ready, secret_values, seen, settled
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Secret, Seen
from sluice_sidecar.signature import is_signed

STORED = [route("r", cachePolicy={"name": "p"}), policy("p", store={"redis": {"managed": {"storage": "3Gi"}}})]


def made(of: Seen) -> set[tuple[str, str]]:
    return {(ref.kind, ref.name) for ref in of.children}


def endpoints(of: Seen) -> dict[str, Any]:
    return dict(json.loads(child(of, "ConfigMap", "sluice-endpoints")["data"]["endpoints.json"]))


def test_a_namespace_without_objects_gets_nothing() -> None:
    assert plan(seen(), NOW).empty


def test_the_first_route_brings_what_routes_share() -> None:
    now = settled(seen(route("r")))
    assert {
        ("ConfigMap", "sluice-config"),
        ("ConfigMap", "sluice-endpoints"),
        ("Secret", "sluice-credentials"),
        ("Deployment", "sluice-gateway"),
        ("ServiceAccount", "sluice-gateway"),
        ("Role", "sluice-config-reader"),
    } <= made(now)
    assert plan(now, NOW).empty


def test_the_last_route_takes_everything_with_it_and_models_stay() -> None:
    now = settled(seen(*STORED, route("other", managed("m")), model()))
    assert ("StatefulSet", "sluice-redis") in made(now)
    last = settled(changed(now, model()))
    assert {name for _, name in made(last)} == {"sluice-model-smollm2"}
    assert settled(changed(last)).children == {}


def test_a_policy_without_routes_keeps_nothing_of_what_was_published() -> None:
    now = settled(seen(*STORED))
    unreadable = policy(
        "p", store={"redis": {"address": "r.example.com:6379", "password": {"secret": "s", "key": "k"}}}
    )
    now = settled(changed(now, unreadable))
    assert plan(now, NOW + 1).empty


def test_a_route_that_is_being_deleted_is_gone() -> None:
    now = settled(seen(route("r")))
    going = [{**d, "metadata": {**d["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}} for d in now.objects]
    assert settled(dataclasses.replace(now, objects=tuple(going))).children == {}


def test_what_others_made_is_never_pruned() -> None:
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "team"}}
    now = settled(seen(route("r")))
    with_foreign = dataclasses.replace(now, children={**now.children, Ref.of(foreign): foreign})
    assert list(settled(changed(with_foreign)).children) == [Ref.of(foreign)]


def test_a_deleted_or_edited_child_is_put_back() -> None:
    now = settled(seen(route("r")))
    ref = Ref("v1", "ConfigMap", "team", "sluice-endpoints")
    without = {r: m for r, m in now.children.items() if r != ref}
    edited = {**now.children, ref: {**now.children[ref], "data": {"endpoints.json": "{}"}}}
    for children in (without, edited):
        done = plan(dataclasses.replace(now, children=children), NOW)
        assert [Ref.of(manifest) for manifest in done.apply] == [ref]


def test_what_a_config_needs_is_written_before_it() -> None:
    order = [manifest["metadata"]["name"] for manifest in plan(seen(*STORED), NOW).apply]
    config = order.index("sluice-config")
    assert order.index("sluice-credentials") < config
    assert order.index("sluice-store") < config


def test_a_broken_route_of_one_team_leaves_the_others_alone() -> None:
    now = settled(seen(route("mine"), route("theirs")))
    broken = settled(changed(now, route("mine", models=["x"]), route("theirs", cachePolicy={"name": "gone"})))
    before, after = published(now), published(broken)
    assert after.routes["theirs"] == before.routes["theirs"]
    assert after.routes["mine"].models == ("x",)
    assert ready(broken, "ModelRoute", "theirs")[0] == "False"


def test_a_gateway_that_cannot_be_read_keeps_what_runs() -> None:
    now = settled(seen(route("r"), gateway(replicas=3)))
    broken = settled(changed(now, route("r"), gateway(replicas="many")))
    assert child(broken, "Deployment", "sluice-gateway")["spec"]["replicas"] == 3
    assert plan(broken, NOW).empty


def test_a_model_that_breaks_keeps_what_runs_and_one_that_goes_does_not() -> None:
    now = settled(seen(model()))
    broken = settled(changed(now, model(engine="VLLM", source={"pvc": {"claim": "m"}})))
    assert ("Deployment", "sluice-model-smollm2") in made(broken)
    assert settled(changed(broken)).children == {}


def test_a_stores_volume_is_never_resized() -> None:
    now = settled(seen(*STORED))
    larger = settled(changed(now, STORED[0], policy("p", store={"redis": {"managed": {"storage": "9Gi"}}})))
    (claim,) = child(larger, "StatefulSet", "sluice-redis")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"


def test_two_policies_share_one_store_of_the_larger_size() -> None:
    two = policy("q", store={"redis": {"managed": {"storage": "5Gi"}}})
    now = settled(seen(*STORED, route("s", cachePolicy={"name": "q"}), two))
    (claim,) = child(now, "StatefulSet", "sluice-redis")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"


def test_endpoints_say_where_models_answer_and_which_never_will() -> None:
    two = route("r", managed("a"), managed("b", "big", namespace="models"), strategy={"single": {"backend": "a"}})
    two["spec"]["fallbacks"] = ["b"]
    big = lived(model("big", allowedNamespaces=["team"]), "models")
    first = seen(two, model(), models=(big,), addresses={"smollm2": ("http://10.0.0.1:8080/v1",)})
    now = settled(first)
    assert endpoints(now)["models"] == {"smollm2": ["http://10.0.0.1:8080/v1"]}
    assert endpoints(now)["unavailable"] == {}
    assert endpoints(now)["reports"]["url"] == "https://sluice-operator-reports.sluice-system.svc:9443"
    closed = dataclasses.replace(now, models=())
    assert list(endpoints(settled(closed))["unavailable"]) == ["models/big"]
    assert published(settled(closed)) == published(now)


def test_another_namespaces_models_are_not_run_here() -> None:
    big = lived(model("big", allowedNamespaces=["team"]), "models")
    now = settled(seen(route("r", managed("b", "big", namespace="models")), models=(big,)))
    assert ("Deployment", "sluice-model-big") not in made(now)


def test_addresses_are_signed_with_the_namespaces_salt() -> None:
    now = settled(seen(route("r", managed("m")), model(), addresses={"smollm2": ("http://10.0.0.1:8080/v1",)}))
    data = child(now, "ConfigMap", "sluice-endpoints")["data"]
    salt = secret_values(now, "sluice-credentials")["salt"]
    assert is_signed(salt, "team", data["endpoints.json"], data["signature"], "endpoints")


def test_addresses_change_no_digest() -> None:
    now = settled(seen(route("r", managed("m")), model()))
    done = plan(dataclasses.replace(now, addresses={"smollm2": ("http://10.0.0.1:8080/v1",)}), NOW)
    assert [manifest["metadata"]["name"] for manifest in done.apply] == ["sluice-endpoints"]


def test_a_sidecars_account_may_read_the_config() -> None:
    now = settled(seen(route("r")))
    done = plan(dataclasses.replace(now, pods=(pod("app", "sidecar"),)), NOW)
    assert "sidecar-account" in json.dumps([dict(manifest) for manifest in done.apply])


def test_a_status_that_somebody_forged_is_put_right_and_breaks_nothing() -> None:
    now = settled(seen(route("r")))
    forged = [{**data, "status": {"conditions": "nonsense", "serving": 7}} for data in now.objects]
    done = plan(dataclasses.replace(now, objects=tuple(forged)), NOW)
    assert [update.ref.name for update in done.statuses] == ["r"]
    assert done.apply == ()


def test_no_value_of_a_secret_is_anywhere_but_in_the_made_secrets() -> None:
    canary = "canary-5f2c"
    redis = {"redis": {"address": "redis.example.com:6379", "password": {"secret": "redis", "key": "pw"}}}
    first = seen(
        route("r", provider("o"), cachePolicy={"name": "p"}),
        policy("p", store=redis),
        gateway(auth={"keys": {"secret": "keys"}}),
        secrets=[
            Secret("openai", {"token": canary}),
            Secret("redis", {"pw": canary}, ("redis.example.com",)),
            Secret("keys", {"tenant": canary}),
        ],
    )
    done = plan(first, NOW)
    secrets = {m["metadata"]["name"] for m in done.apply if m["kind"] == "Secret"}
    assert secrets == {"sluice-credentials", "sluice-store"}
    encoded = "Y2FuYXJ5LTVmMmM"
    rest = json.dumps([dict(m) for m in done.apply if m["kind"] != "Secret"]) + repr((done.statuses, done.events))
    for text in (canary, encoded):
        assert text not in rest
    assert canary not in repr(first.secrets)
    assert plan(applied(first, done), NOW).empty
