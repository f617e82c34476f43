"""What a sidecar serves of a Config: keyed calls at the shared gateway, everything else as it was."""

import pytest

from sluice_sidecar.cluster.relayed import check_stores, relayed
from sluice_sidecar.config import (
    Backend,
    Cascade,
    Config,
    Credential,
    Gateway,
    HttpCheck,
    PineconeStore,
    Policy,
    QdrantStore,
    RedisServer,
    RegexCheck,
    Route,
)

KEY = Credential(secret="openai", key="token", version="v1")
BASE = "http://sluice-gateway.shop.svc"


def written() -> Config:
    checks = (
        RegexCheck(pattern="a"),
        HttpCheck(url="https://open.example/check"),
        HttpCheck(url="https://judge.example/check", credential=KEY),
    )
    route = Route(
        name="house",
        models=("auto",),
        backends={
            "large": Backend(name="large", url="https://api.openai.com/v1", credential=KEY, model="gpt"),
            "small": Backend(name="small", managed="tiny"),
        },
        strategy=Cascade(stages=("small", "large"), checks=checks),
        reference="large",
    )
    return Config(routes={"house": route}, gateway=Gateway(keys_secret="keys", keys_version="v")).sealed()


def test_backends_and_checks_with_a_credential_are_called_at_the_shared_gateway() -> None:
    route = relayed(written(), BASE + "/").routes["house"]
    large = route.backends["large"]
    assert large.url == BASE + "/-/relay/house/large"
    assert large.credential == Credential(secret="sluice-relay", key="token")
    assert large.model == "gpt"
    assert isinstance(route.strategy, Cascade)
    judge = route.strategy.checks[2]
    assert isinstance(judge, HttpCheck)
    assert judge.url == BASE + "/-/relay/house/checks/2"
    assert judge.credential == Credential(secret="sluice-relay", key="token")


def test_what_needs_no_credential_stays_as_it_was() -> None:
    before, after = written().routes["house"], relayed(written(), BASE).routes["house"]
    assert after.backends["small"] == before.backends["small"]
    assert isinstance(before.strategy, Cascade)
    assert isinstance(after.strategy, Cascade)
    assert after.strategy.checks[:2] == before.strategy.checks[:2]


def test_digests_stay_and_no_keys_are_asked_for() -> None:
    before, after = written(), relayed(written(), BASE)
    assert after.digest == before.digest
    assert after.routes["house"].digest == before.routes["house"].digest
    assert after.gateway.keys_secret is None


def test_no_provider_credential_is_left_in_it() -> None:
    assert b'"openai"' not in relayed(written(), BASE).to_json().replace(b'["openai"]', b"")


@pytest.mark.parametrize("secret", ["openai", "sluice-relay"])
def test_a_store_gets_no_credential_but_its_own(secret: str) -> None:
    stolen = Credential(secret=secret, key="token")
    policy = Policy(name="p", ttl=1.0, store=QdrantStore(url="https://thief.example", collection="c", api_key=stolen))
    state = RedisServer(address="thief.example:6379", prefix="p", password=stolen)
    pinecone = PineconeStore(url="https://thief.example", namespace="n", api_key=stolen)
    policies = (policy, Policy(name="p", ttl=1.0, store=pinecone))
    for config in (*(Config(policies={"p": one}) for one in policies), Config(gateway=Gateway(state=state))):
        with pytest.raises(ValueError, match="sluice-store only"):
            check_stores(config)


def test_a_store_may_use_its_own_credentials() -> None:
    own = Credential(secret="sluice-store", key="redis-password")
    check_stores(Config(gateway=Gateway(state=RedisServer(address="redis:6379", prefix="p", password=own))))
