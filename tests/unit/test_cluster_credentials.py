"""In a cluster every {secret, key} resolves to a version, or is a problem at the exact field."""

from typing import Any

import pytest

from doubles.objects import cascade, custom, gateway, parsed, policy, provider, route
from sluice_operator.compile import Compiled, compile  # noqa: A004
from sluice_operator.credentials import ClusterView, Grant, entry, may_go
from sluice_sidecar.config import Config, Credential, HttpCheck

OPENAI = Grant({"token": "v1"})
HOUSE: dict[str, Any] = {"url": "https://house.example.com/v1", "dialect": "OpenAI"}


def keyed(secret: str = "house", key: str = "token", url: str = HOUSE["url"]) -> dict[str, Any]:
    return {"name": "b", "custom": HOUSE | {"url": url, "apiKey": {"secret": secret, "key": key}}}


def compiled(view: ClusterView, *objects: dict[str, Any], last: Config | None = None) -> Compiled:
    return compile(parsed(*objects), last, cluster=view)


def grants(**given: Grant) -> ClusterView:
    return ClusterView(given)


def test_a_providers_key_goes_to_the_provider_without_an_annotation() -> None:
    result = compiled(grants(openai=OPENAI), route("r", provider("o")))
    assert result.errors == ()
    found = result.config.routes["r"].backends["o"].credential
    assert found == Credential(secret="openai", key="token", version="v1")


@pytest.mark.parametrize(
    ("view", "field", "reason"),
    [
        (ClusterView(), "spec.backends[0].custom.apiKey.secret", "SecretNotFound"),
        (
            ClusterView(unlabelled=frozenset({"house"})),
            "spec.backends[0].custom.apiKey.secret",
            "CredentialNotGranted",
        ),
        (
            grants(house=Grant({"tokem": "v"}, ("house.example.com",))),
            "spec.backends[0].custom.apiKey.key",
            "SecretKeyNotFound",
        ),
        (grants(house=Grant({"token": "v"})), "spec.backends[0].custom.apiKey", "CredentialNotGranted"),
        (
            grants(house=Grant({"token": "v"}, ("house.example.com:8443", "example.com"))),
            "spec.backends[0].custom.apiKey",
            "CredentialNotGranted",
        ),
    ],
)
def test_a_credential_that_cannot_be_used_is_told_at_its_field(view: ClusterView, field: str, reason: str) -> None:
    result = compiled(view, route("r", keyed()))
    assert [(problem.field, problem.reason) for problem in result.errors] == [(field, reason)]
    assert result.config.routes == {}


def test_the_message_names_the_cure() -> None:
    (problem,) = compiled(grants(house=Grant({"token": "v"})), route("r", keyed())).errors
    assert 'sluice.dev/hosts must name "house.example.com" or "house.example.com:443"' in problem.message
    (problem,) = compiled(ClusterView(unlabelled=frozenset({"house"})), route("r", keyed())).errors
    assert 'label sluice.dev/credential must be "true"' in problem.message


def test_a_providers_kind_at_another_address_needs_the_annotation() -> None:
    elsewhere = {"name": "o", "openAI": {**provider("o")["openAI"], "url": "https://api.openai.com.evil.example/v1"}}
    (problem,) = compiled(grants(openai=OPENAI), route("r", elsewhere)).errors
    assert (problem.field, problem.reason) == ("spec.backends[0].openAI.apiKey", "CredentialNotGranted")


def test_a_custom_backend_at_a_providers_address_needs_the_annotation_too() -> None:
    (problem,) = compiled(grants(house=OPENAI), route("r", keyed(url="https://api.openai.com/v1"))).errors
    assert problem.reason == "CredentialNotGranted"


def test_a_check_is_granted_by_its_own_host() -> None:
    http = {"url": "https://checks.example.com/ok", "apiKey": {"secret": "c", "key": "k"}}
    checked = route("r", custom("a"), custom("b"), strategy=cascade("a", "b", checks=[{"http": http}]))
    (problem,) = compiled(grants(c=Grant({"k": "v"})), checked).errors
    assert problem.field == "spec.strategy.cascade.accept.checks[0].http.apiKey"
    strategy = compiled(grants(c=Grant({"k": "v"}, ("checks.example.com",))), checked).config.routes["r"].strategy
    assert strategy.type == "cascade"
    (check,) = strategy.checks
    assert isinstance(check, HttpCheck)
    assert check.credential == Credential(secret="c", key="k", version="v")


@pytest.mark.parametrize(
    ("store", "field"),
    [
        (
            {"qdrant": {"url": "https://q.example.com", "apiKey": {"secret": "s", "key": "k"}}},
            "spec.store.qdrant.apiKey",
        ),
        (
            {"redis": {"address": "redis.example.com:6379", "password": {"secret": "s", "key": "k"}}},
            "spec.store.redis.password",
        ),
    ],
)
def test_a_stores_key_needs_its_host(store: dict[str, Any], field: str) -> None:
    used = route("r", cachePolicy={"name": "p"})
    result = compiled(grants(s=Grant({"k": "v"})), used, policy("p", store=store))
    assert (field, "CredentialNotGranted") in {(p.field, p.reason) for p in result.errors}
    granted = Grant({"k": "v"}, ("q.example.com", "redis.example.com:6379"))
    assert compiled(grants(s=granted), used, policy("p", store=store)).errors == ()


def test_an_embedding_key_is_checked() -> None:
    endpoint = {"url": "https://e.example.com/v1", "model": "m", "dimensions": 8, "apiKey": {"secret": "s", "key": "k"}}
    problems = compiled(ClusterView(), route("r"), policy("p", embedding={"openAI": endpoint})).errors
    assert ("spec.embedding.openAI.apiKey.secret", "SecretNotFound") in {(p.field, p.reason) for p in problems}


def test_callers_keys_need_the_label_alone_and_carry_one_version_of_all() -> None:
    keyed_gateway = gateway(auth={"keys": {"secret": "keys"}})
    (problem,) = compiled(ClusterView(), route("r"), keyed_gateway).errors
    assert (problem.kind, problem.field, problem.reason) == (
        "SluiceGateway",
        "spec.auth.keys.secret",
        "SecretNotFound",
    )
    first = compiled(grants(keys=Grant({"a": "1"})), route("r"), keyed_gateway)
    second = compiled(grants(keys=Grant({"a": "1", "b": "2"})), route("r"), keyed_gateway)
    assert first.errors == second.errors == ()
    assert first.config.gateway.keys_version != second.config.gateway.keys_version
    assert first.config.routes == second.config.routes


def test_a_section_whose_secret_vanished_stays_while_gateways_hold_its_value() -> None:
    last = compiled(grants(openai=OPENAI), route("r", provider("o"))).config
    held = ClusterView(held={entry("openai", "token"): "v1"})
    assert compiled(held, route("r", provider("o")), last=last).config.routes == last.routes
    assert compiled(ClusterView(), route("r", provider("o")), last=last).config.routes == {}


def test_a_grant_that_was_withdrawn_ends_the_section() -> None:
    last = compiled(grants(house=Grant({"token": "v"}, ("house.example.com",))), route("r", keyed())).config
    held = {entry("house", "token"): "v"}
    for view in (
        ClusterView({"house": Grant({"token": "v"})}, held=held),
        ClusterView(unlabelled=frozenset({"house"}), held=held),
    ):
        assert compiled(view, route("r", keyed()), last=last).config.routes == {}


def test_a_kept_section_goes_to_a_providers_own_address_alone_without_a_grant() -> None:
    house = {"b": Grant({"token": "v"}, ("api.openai.com",))}
    for url, stays in (("https://api.openai.com/v1", True), ("https://api.openai.com:8443/elsewhere", False)):
        last = compiled(ClusterView(house), route("r", keyed("b", url=url))).config
        assert set(last.routes) == {"r"}
        withdrawn = compiled(grants(b=Grant({"token": "v"})), route("r", keyed("b", url=url)), last=last).config
        assert set(withdrawn.routes) == ({"r"} if stays else set())


def test_a_broken_route_follows_the_rotation_of_its_credential() -> None:
    last = compiled(grants(openai=OPENAI), route("r", provider("o"))).config
    broken = route("r", provider("o"), cachePolicy={"name": "gone"})
    kept = compiled(grants(openai=Grant({"token": "v2"})), broken, last=last).config.routes["r"]
    assert kept.backends["o"].credential == Credential(secret="openai", key="token", version="v2")
    assert kept.digest != last.routes["r"].digest


def test_a_broken_gateway_follows_the_rotation_of_its_keys() -> None:
    keys = {"auth": {"keys": {"secret": "keys"}}}
    last = compiled(grants(keys=Grant({"a": "1"})), route("r"), gateway(**keys)).config
    now = compiled(grants(keys=Grant({"a": "2"})), route("r"), gateway(**keys, drain="soon"), last=last).config
    assert now.gateway.keys_secret == "keys"
    assert now.gateway.keys_version not in {None, last.gateway.keys_version}


def test_a_name_that_is_too_long_is_told() -> None:
    grant = Grant({"k" * 200: "v"}, ("house.example.com",))
    (problem,) = compiled(ClusterView({"s" * 60: grant}), route("r", keyed("s" * 60, "k" * 200))).errors
    assert problem.reason == "CredentialNameTooLong"


@pytest.mark.parametrize(
    ("hosts", "address", "allowed"),
    [
        (["a.example.com"], "https://A.example.com:8443/v1", True),
        (["a.example.com:443"], "https://a.example.com/v1", True),
        (["a.example.com:443"], "http://a.example.com/v1", False),
        (["a.example.com:80"], "http://a.example.com/v1", True),
        (["A.Example.com"], "https://a.example.com", True),
        (["example.com"], "https://a.example.com", False),
        (["redis.example.com:6379"], "redis.example.com:6379", True),
        (["redis.example.com:6379"], "redis.example.com:6380", False),
        (["[fd00::1]:8080"], "http://[fd00::1]:8080/v1", True),
        ([""], "https://a.example.com", False),
        ([], "https://a.example.com", False),
    ],
)
def test_hosts_are_names_with_any_port_or_with_one(hosts: list[str], address: str, allowed: bool) -> None:
    assert may_go(hosts, address) is allowed
