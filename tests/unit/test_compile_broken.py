"""A broken route keeps what was last published, one that was never valid is absent, and no other route notices."""

from typing import Any

from doubles.objects import custom, gateway, parsed, policy, route
from sluice_operator.compile import compile  # noqa: A004
from sluice_sidecar.config import Config

DANGLING: dict[str, Any] = {"cachePolicy": {"name": "gone"}}


def config(*objects: dict[str, Any], last: Config | None = None) -> Config:
    return compile(parsed(*objects), last).config


def test_a_route_that_was_never_valid_is_absent_and_the_others_are_served() -> None:
    assert list(config(route("bad", **DANGLING), route("good")).routes) == ["good"]


def test_a_broken_route_keeps_its_last_section_and_others_advance() -> None:
    last = config(route("a", models=["x"]), route("b"))
    now = config(route("a", models=["y"], **DANGLING), route("b", custom("new")), last=last)
    assert now.routes["a"] == last.routes["a"]
    assert list(now.routes["b"].backends) == ["new"]


def test_an_object_that_cannot_be_read_keeps_its_last_section() -> None:
    last = config(route("a"))
    assert config(route("a", nonsense=1), last=last).routes == last.routes


def test_a_deleted_route_goes() -> None:
    assert config(route("b"), last=config(route("a"), route("b"))).routes.keys() == {"b"}


def test_a_broken_policy_keeps_its_last_section() -> None:
    last = config(route("a", cachePolicy={"name": "p"}), policy("p", ttl="1h"))
    now = config(route("a", cachePolicy={"name": "p"}), policy("p", ttl="soon"), last=last)
    assert (now.routes, now.policies) == (last.routes, last.policies)


def test_a_route_that_keeps_its_section_keeps_the_policy_that_went() -> None:
    last = config(route("a", cachePolicy={"name": "p"}), policy("p"))
    now = config(route("a", cachePolicy={"name": "p"}), last=last)
    assert (now.routes, now.policies) == (last.routes, last.policies)


def test_a_kept_section_gives_up_names_that_a_valid_route_answers_now() -> None:
    last = config(route("a", models=["x", "y"]))
    now = config(route("a", models=["y"], **DANGLING), route("b", models=["x"]), last=last)
    assert (now.routes["a"].models, now.routes["b"].models) == (("y",), ("x",))


def test_without_a_valid_gateway_nothing_is_served_open() -> None:
    assert (
        config(route("a"), gateway(auth={"oidc": {"issuer": "https://id.example.com", "audience": "x"}})).routes == {}
    )


def test_a_gateway_that_breaks_keeps_its_keys() -> None:
    last = config(route("a"), gateway(auth={"keys": {"secret": "keys"}}))
    now = config(route("a"), gateway(auth={"keys": {"secret": "UPPER"}}), last=last)
    assert now.gateway.keys_secret == "keys"
    assert now.routes == last.routes
