"""The made Secrets: what gateways sign with, in which version, and where it may go."""

import base64
import dataclasses
import hashlib
import hmac
import json
from typing import Any

from doubles.objects import custom, gateway, policy, provider, route
from doubles.planning import applied, changed, child, fresh, published, secret_values, seen, settled, status
from sluice_operator.plan.namespace import plan
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Secret, Seen

OPENAI = Secret("openai", {"token": "sk-1", "other": "unused"})
HOUSE = Secret("house", {"token": "house-1"}, ("house.example.com",))
NOW = 1_800_000_000.0


def keyed(secret: str = "house") -> dict[str, Any]:
    upstream = {
        "url": "https://house.example.com/v1",
        "dialect": "OpenAI",
        "apiKey": {"secret": secret, "key": "token"},
    }
    return {"name": "h", "custom": upstream}


def index(of: Seen) -> dict[str, Any]:
    return dict(json.loads(secret_values(of, "sluice-credentials")["index.json"]))


def with_secrets(of: Seen, *secrets: Secret) -> Seen:
    return dataclasses.replace(of, secrets={secret.name: secret for secret in secrets})


def test_the_secret_holds_what_the_config_names_and_where_it_may_go() -> None:
    now = settled(seen(route("a", provider("o")), route("b", keyed()), secrets=[OPENAI, HOUSE]))
    values = secret_values(now, "sluice-credentials")
    assert set(values) == {"openai_token", "house_token", "index.json", "salt"}
    assert (values["openai_token"], values["house_token"]) == ("sk-1", "house-1")
    assert {name: about["hosts"] for name, about in index(now).items()} == {
        "openai_token": ["api.openai.com"],
        "house_token": ["house.example.com"],
    }
    version = hmac.new(values["salt"].encode(), b"sk-1", hashlib.sha256).hexdigest()[:12]
    credential = published(now).routes["a"].backends["o"].credential
    assert credential is not None
    assert credential.version == index(now)["openai_token"]["version"] == version


def test_the_salt_stays_and_so_do_versions() -> None:
    first = settled(seen(route("a", provider("o")), secrets=[OPENAI]))
    second = settled(dataclasses.replace(first, fresh=fresh(99)))
    assert secret_values(second, "sluice-credentials") == secret_values(first, "sluice-credentials")


def test_a_rotated_value_has_another_version() -> None:
    first = settled(seen(route("a", provider("o")), secrets=[OPENAI]))
    second = settled(with_secrets(first, Secret("openai", {"token": "sk-2"})))
    assert secret_values(second, "sluice-credentials")["openai_token"] == "sk-2"
    assert index(second) != index(first)
    assert published(second).digest != published(first).digest


def test_a_value_whose_secret_vanished_stays_and_its_route_says_so() -> None:
    first = settled(seen(route("a", provider("o")), secrets=[OPENAI]))
    second = settled(with_secrets(first))
    assert secret_values(second, "sluice-credentials") == secret_values(first, "sluice-credentials")
    assert published(second) == published(first)
    stalled = [entry for entry in status(second, "ModelRoute", "a")["conditions"] if entry["type"] == "Stalled"]
    assert [entry["reason"] for entry in stalled] == ["SecretNotFound"]
    assert plan(second, NOW).empty


def test_a_withdrawn_grant_takes_the_value_away() -> None:
    first = settled(seen(route("b", keyed()), secrets=[HOUSE]))
    second = settled(with_secrets(first, dataclasses.replace(HOUSE, hosts=())))
    assert "house_token" not in secret_values(second, "sluice-credentials")
    assert published(second).routes == {}


def test_callers_keys_are_sent_nowhere() -> None:
    keys = Secret("keys", {"alice": "k1", "bob": "k2"}, ("everywhere.example.com",))
    now = settled(seen(route("a"), gateway(auth={"keys": {"secret": "keys"}}), secrets=[keys]))
    values = secret_values(now, "sluice-credentials")
    assert (values["keys_alice"], values["keys_bob"]) == ("k1", "k2")
    assert {name: about["hosts"] for name, about in index(now).items()} == {
        "keys": [],
        "keys_alice": [],
        "keys_bob": [],
    }
    assert index(now)["keys"]["version"] == published(now).gateway.keys_version
    gone = settled(with_secrets(now))
    assert secret_values(gone, "sluice-credentials") == values
    assert published(gone) == published(now)


def test_a_credential_is_taken_away_only_after_the_config_that_needs_it_no_more() -> None:
    first = settled(seen(route("a", provider("o")), route("b", keyed()), secrets=[OPENAI, HOUSE]))
    wanted = changed(first, route("a", custom("x")), route("b", keyed()))
    done = plan(wanted, NOW)
    order = [(m["kind"], m["metadata"]["name"]) for m in done.apply]
    assert order == [
        ("Secret", "sluice-credentials"),
        ("ConfigMap", "sluice-config"),
        ("Secret", "sluice-credentials"),
    ]
    before, _, after = done.apply
    assert "openai_token" in before["data"]
    assert "openai_token" not in after["data"]
    assert plan(applied(wanted, done), NOW).empty


def managed(kind: str) -> dict[str, Any]:
    return policy("p", store={kind: {"managed": {}}})


USED = route("r", cachePolicy={"name": "p"})


def test_a_managed_redis_has_a_user_that_reaches_the_namespaces_keys_alone() -> None:
    now = settled(seen(USED, managed("redis")))
    mine, servers = secret_values(now, "sluice-store"), secret_values(now, "sluice-store-admin")
    assert set(mine) == {"redis-username", "redis-password"}
    assert set(servers) == {"redis-users", "redis-operator"}
    users = servers["redis-users"]
    sha = hashlib.sha256(mine["redis-password"].encode()).hexdigest()
    assert "user default off\n" in users
    assert f"user gateway on #{sha} resetchannels ~sluice:team:* -@all +@connection -@dangerous +get " in users
    assert mine["redis-password"] not in users
    assert servers["redis-operator"] not in users
    again = settled(dataclasses.replace(now, fresh=fresh(5)))
    assert secret_values(again, "sluice-store") == mine
    assert secret_values(again, "sluice-store-admin") == servers


def test_a_managed_qdrant_gives_a_token_for_one_collection_that_its_key_signed() -> None:
    now = settled(seen(USED, managed("qdrant")))
    (token,) = secret_values(now, "sluice-store").values()
    key = secret_values(now, "sluice-store-admin")["qdrant-key"]
    signed, _, signature = token.rpartition(".")
    mac = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(mac).rstrip(b"=").decode() == signature
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert head == {"alg": "HS256", "typ": "JWT"}
    assert claims == {"access": [{"collection": "sluice-team-minilm-384", "access": "rw"}]}


def test_the_key_that_signs_is_in_no_secret_that_gateways_mount() -> None:
    now = settled(seen(USED, managed("qdrant")))
    assert secret_values(now, "sluice-store-admin")["qdrant-key"] not in secret_values(now, "sluice-store").values()


def test_an_external_stores_password_is_what_the_user_gave_and_stays_when_its_secret_goes() -> None:
    redis = {"redis": {"address": "redis.example.com:6379", "password": {"secret": "r", "key": "pw"}}}
    given = Secret("r", {"pw": "external-1"}, ("redis.example.com",))
    now = settled(seen(USED, policy("p", store=redis), secrets=[given]))
    assert secret_values(now, "sluice-store") == {"external-r_pw": "external-1"}
    assert secret_values(settled(with_secrets(now)), "sluice-store") == {"external-r_pw": "external-1"}


def test_without_a_store_there_is_no_secret_for_one() -> None:
    now = settled(seen(route("a")))
    assert Ref("v1", "Secret", "team", "sluice-store") not in now.children
    assert child(now, "Secret", "sluice-credentials")
