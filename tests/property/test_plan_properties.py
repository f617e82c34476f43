"""Plans: applied, they leave nothing to do; a Config survives any sharding; no route's mistake moves another's."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.objects import model, policy, route
from doubles.planning import NOW, Data, changed, fresh, pod, report, secret_values, seen, settled
from doubles.random_namespaces import MISTAKES, SECRETS, UPSTREAMS, objects
from sluice_operator import names
from sluice_operator.plan.config_maps import config_maps, last_config
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import PolicyReport, RouteSavings, Secret, Seen
from sluice_sidecar.config import Config

unhurried = settings(deadline=None, max_examples=150)  # a busy machine is no failure


def with_reports(of: Seen) -> Seen:
    """Two gateways that serve what is published."""
    config = last_config(of.namespace, of.children) or Config()
    pods = (pod("one"), pod("side", "sidecar"))
    savings = dict.fromkeys(config.routes, RouteSavings(10, 3))
    policies = dict.fromkeys(config.policies, PolicyReport(5, 10, 3))
    reports = tuple(report(p, config, savings=savings, policies=policies) for p in pods)
    return dataclasses.replace(of, pods=pods, reports=reports)


@unhurried
@given(objects(), objects(), SECRETS, SECRETS)
def test_an_applied_plan_leaves_nothing_to_do(
    first: list[Data], second: list[Data], secrets: list[Secret], later: list[Secret]
) -> None:
    now = settled(seen(*first, secrets=secrets))
    assert plan(dataclasses.replace(now, fresh=fresh(1)), NOW).empty
    now = settled(with_reports(now))
    assert plan(now, NOW + 1).empty
    moved = changed(now, *second)
    now = settled(dataclasses.replace(moved, secrets={secret.name: secret for secret in later}))
    assert plan(now, NOW + 2).empty


@unhurried
@given(objects(), SECRETS)
def test_what_is_left_when_the_objects_go_is_nothing_but_a_volume(found: list[Data], secrets: list[Secret]) -> None:
    left = settled(changed(settled(seen(*found, secrets=secrets)))).children
    assert {ref.kind for ref in left} <= {"PersistentVolumeClaim"}


@unhurried
@given(st.sampled_from(MISTAKES[1:]), st.sampled_from(UPSTREAMS), SECRETS)
def test_a_broken_route_changes_no_others_section(
    mistake: dict[str, Any], spec: dict[str, Any], secrets: list[Secret]
) -> None:
    fine = [route("mine", **spec), model()]
    now = settled(seen(*fine, route("theirs"), secrets=secrets))
    before = last_config("team", now.children)
    broken = settled(changed(now, *fine, route("theirs", **mistake)))
    after = last_config("team", broken.children)
    assert before is not None
    assert after is not None
    assert after.routes == before.routes
    created = settled(seen(*fine, route("theirs", **mistake), secrets=secrets))
    alone = last_config("team", created.children)
    assert alone is not None
    assert alone.routes.get("mine") == before.routes.get("mine")


@unhurried
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6), st.integers(64, 2000))
def test_a_config_survives_any_sharding(patterns: list[str], size: int) -> None:
    spec = {"fingerprint": {"ignore": [{"regex": "x"}]}}
    now = settled(seen(route("r", cachePolicy={"name": "p"}), policy("p", **spec)))
    config = last_config("team", now.children)
    assert config is not None
    odd = config.policies["p"].model_copy(update={"ignore": tuple(patterns)})
    config = config.model_copy(update={"policies": {"p": odd}}).sealed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "SHARD_BYTES", size)
        made = config_maps("team", config, secret_values(now, names.CREDENTIALS_SECRET)[names.CREDENTIALS_SALT])
    assert last_config("team", {**now.children, **{Ref.of(manifest): manifest for manifest in made}}) == config
