"""A ModelRoute is Ready when every running gateway serves its digest; its status tells how many, and its savings."""

import dataclasses
from decimal import Decimal
from typing import Any

from doubles.objects import gateway, managed, model, provider, route
from doubles.planning import NOW, applied, changed, pod, published, ready, report, seen, settled, status
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.seen import GatewayPod, Report, RouteSavings, Seen

ONE, TWO, SIDE = pod("one"), pod("two"), pod("side", "sidecar")


def served(*pods: GatewayPod, told: tuple[Report, ...] | None = None, **more: Any) -> Seen:
    """The route after its first round, with these gateways; all have reported unless told otherwise."""
    first = settled(seen(route("r"), **more))
    reports = tuple(report(p, published(first)) for p in pods) if told is None else told
    return dataclasses.replace(first, pods=pods, reports=reports)


def serving(of: Seen) -> str:
    return str(status(of, "ModelRoute", "r")["serving"])


def test_a_new_route_waits_for_a_gateway() -> None:
    first = settled(seen(route("r")))
    assert ready(first, "ModelRoute", "r") == ("False", "GatewayStarting")
    assert serving(first) == "0/0"
    assert {entry["type"] for entry in status(first, "ModelRoute", "r")["conditions"]} == {"Ready", "Reconciling"}


def test_it_is_ready_when_all_running_gateways_serve_its_digest() -> None:
    now = settled(served(ONE, TWO, SIDE))
    assert (ready(now, "ModelRoute", "r"), serving(now)) == (("True", "Serving"), "3/3")
    found = status(now, "ModelRoute", "r")
    assert found["digest"] == published(now).routes["r"].digest
    assert (found["models"], found["modelNames"], found["observedGeneration"]) == (["r"], "r", 1)


def test_one_that_serves_another_digest_is_waited_for() -> None:
    config = published(settled(seen(route("r"))))
    old = report(TWO, config, routes={"r": "sha256:old"})
    now = settled(served(ONE, TWO, told=(report(ONE, config), old)))
    assert (ready(now, "ModelRoute", "r"), serving(now)) == (("False", "RollingOut"), "1/2")


def test_an_unknown_sidecar_does_not_block_and_an_unknown_shared_gateway_does() -> None:
    config = published(settled(seen(route("r"))))
    now = settled(served(ONE, SIDE, told=(report(ONE, config),)))
    assert (ready(now, "ModelRoute", "r"), serving(now)) == (("True", "Serving"), "1/2, 1 unknown")
    now = settled(served(ONE, TWO, told=(report(ONE, config),)))
    assert (ready(now, "ModelRoute", "r"), serving(now)) == (("False", "GatewayUnknown"), "1/2, 1 unknown")


def test_sidecars_alone_make_no_route_ready() -> None:
    assert ready(settled(served(SIDE)), "ModelRoute", "r") == ("False", "GatewayStarting")


def test_pods_that_go_or_are_not_ready_do_not_count() -> None:
    others = (pod("a", terminating=True), pod("b", running=False), pod("c", finished=True))
    config = published(settled(seen(route("r"))))
    now = settled(served(ONE, *others, told=(report(ONE, config),)))
    assert (ready(now, "ModelRoute", "r"), serving(now)) == (("True", "Serving"), "1/1")


def test_a_silent_gateway_becomes_unknown_and_the_plan_wakes_for_it() -> None:
    now = settled(served(ONE))
    wake = plan(now, NOW).requeue_after
    assert wake is not None
    assert 90 < wake < 100
    later = settled(now, NOW + wake)
    assert ready(later, "ModelRoute", "r") == ("False", "GatewayUnknown")


def test_a_refusal_is_told_with_its_pod() -> None:
    config = published(settled(seen(route("r"))))
    no = report(ONE, config, routes={}, refused={"r": "it lacks mirror"})
    now = settled(served(ONE, told=(no,)))
    (found, _) = status(now, "ModelRoute", "r")["conditions"]
    assert (found["reason"], found["message"]) == ("Refused", "refused by one: it lacks mirror")


def test_a_new_leader_keeps_what_stands_there_until_it_could_hear() -> None:
    now = settled(served(ONE, TWO))
    fresh_leader = dataclasses.replace(now, reports=(), listening=5.0)
    done = plan(fresh_leader, NOW + 60)
    assert done.empty
    assert done.requeue_after is not None
    assert 25 < done.requeue_after < 35
    late = settled(dataclasses.replace(fresh_leader, listening=36.0), NOW + 60)
    assert (ready(late, "ModelRoute", "r"), serving(late)) == (("False", "GatewayUnknown"), "0/2, 2 unknown")


def test_a_new_leader_does_not_vouch_for_a_change() -> None:
    now = settled(served(ONE, TWO))
    newer = dataclasses.replace(changed(now, route("r", models=["x"])), reports=(), listening=5.0)
    assert ready(settled(newer), "ModelRoute", "r") == ("False", "GatewayUnknown")


def test_a_broken_route_is_stalled_with_cause_and_cure_and_what_holds_meanwhile() -> None:
    now = settled(changed(settled(served(ONE)), route("r", cachePolicy={"name": "gone"})))
    by_type = {entry["type"]: entry for entry in status(now, "ModelRoute", "r")["conditions"]}
    assert by_type.keys() == {"Ready", "Stalled"}
    assert by_type["Stalled"]["reason"] == "CachePolicyNotFound"
    assert "spec.cachePolicy.name" in by_type["Stalled"]["message"]
    assert "published before is still served" in by_type["Stalled"]["message"]
    assert serving(now) == "1/1"


def test_a_route_that_was_never_valid_is_not_served_and_says_so() -> None:
    now = settled(seen(route("r", provider("o"))))
    found = status(now, "ModelRoute", "r")
    assert ready(now, "ModelRoute", "r") == ("False", "SecretNotFound")
    assert "digest" not in found
    assert "it is not served" in found["conditions"][0]["message"]


def test_a_gateway_that_was_never_valid_stalls_its_routes() -> None:
    now = settled(seen(route("r"), gateway(auth={"oidc": {"issuer": "https://id.example.com", "audience": "x"}})))
    assert ready(now, "ModelRoute", "r") == ("False", "NotInThisRelease")


def test_a_reference_that_appears_later_heals() -> None:
    waiting = settled(seen(route("r", managed("m"))))
    assert ready(waiting, "ModelRoute", "r") == ("False", "ModelNotFound")
    healed = settled(changed(waiting, route("r", managed("m")), model()))
    assert ready(healed, "ModelRoute", "r") == ("False", "GatewayStarting")


def saved(of: Seen, requests: int, reused: int, money: str, received: float = NOW) -> Seen:
    counted = {"r": RouteSavings(requests, reused, Decimal(money), "USD", 10 * reused)}
    reports = tuple(report(p, published(of), received, savings=counted) for p in of.pods)
    return dataclasses.replace(of, reports=reports)


def test_savings_are_summed_over_gateways() -> None:
    now = settled(saved(served(ONE, TWO), 100, 42, "6.2"))
    assert status(now, "ModelRoute", "r")["savings"] == {
        "money": "12.40 USD",
        "tokens": 840,
        "hitRatio": "0.42",
        "since": "2027-01-15T07:43:20Z",
        "until": "2027-01-15T08:00:00Z",
    }


def test_savings_change_every_ten_minutes_at_most() -> None:
    now = settled(saved(served(ONE), 100, 42, "6.2"))
    soon = saved(now, 200, 90, "9", NOW + 60)
    done = plan(soon, NOW + 60)
    assert done.empty
    assert done.requeue_after is not None
    later = saved(now, 200, 90, "9", NOW + 601)
    assert status(settled(later, NOW + 601), "ModelRoute", "r")["savings"]["money"] == "9.00 USD"


def test_savings_stay_while_nobody_counts() -> None:
    now = settled(saved(served(ONE), 100, 42, "6.2"))
    silent = settled(dataclasses.replace(now, reports=()), NOW + 9000)
    assert status(silent, "ModelRoute", "r")["savings"] == status(now, "ModelRoute", "r")["savings"]


def test_events_tell_transitions_and_nothing_else() -> None:
    first = served(ONE)
    done = plan(first, NOW)
    assert [(event.type, event.reason, event.uid) for event in done.events] == [
        ("Normal", "Serving", "uid-ModelRoute-r")
    ]
    broken = changed(applied(first, done), route("r", cachePolicy={"name": "gone"}))
    done = plan(broken, NOW)
    assert [(event.type, event.reason) for event in done.events] == [("Warning", "CachePolicyNotFound")]
    assert plan(applied(broken, done), NOW).events == ()
