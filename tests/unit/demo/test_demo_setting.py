import pytest

from sluice_cli.demo.command import choose
from sluice_cli.demo.setting import LARGE, PROVIDERS, STAND_IN, prices, shipped, similarity, with_provider


def test_the_stand_in_has_the_price_of_a_large_provider() -> None:
    price = prices(shipped())
    assert price["large"].output > 10 * price["small"].output
    assert price["large"].cached_input is not None


def test_the_policy_names_a_similarity() -> None:
    assert similarity(shipped()) == "0.94"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_takes_the_place_of_the_stand_in_and_brings_its_list_price(name: str) -> None:
    provider = PROVIDERS[name]
    documents = with_provider(shipped(), provider)
    assert STAND_IN not in [document["metadata"]["name"] for document in documents]
    route = next(document for document in documents if document["kind"] == "ModelRoute")
    large = next(backend for backend in route["spec"]["backends"] if backend["name"] == LARGE)
    assert large[provider.field]["apiKey"] == {"secret": name, "key": "token"}
    assert "quantisedModel" not in large
    assert str(prices(documents)[LARGE].input) == provider.price["inputPerMillion"]
    assert [document["metadata"]["name"] for document in shipped()].count(STAND_IN) == 1


def test_keys_go_into_the_header_that_the_provider_wants() -> None:
    assert PROVIDERS["openai"].target("k").headers == {"authorization": "Bearer k"}
    assert PROVIDERS["anthropic"].target("k").headers["x-api-key"] == "k"


def test_a_key_alone_never_makes_the_demo_charge_anybody() -> None:
    assert choose(None, {"OPENAI_API_KEY": "k"}, terminal=False) is None
    assert choose("none", {"OPENAI_API_KEY": "k"}, terminal=True) is None


def test_a_named_provider_needs_its_key() -> None:
    assert choose("openai", {"OPENAI_API_KEY": "k"}, terminal=False) is PROVIDERS["openai"]
    with pytest.raises(Exception, match="ANTHROPIC_API_KEY"):
        choose("anthropic", {"OPENAI_API_KEY": "k"}, terminal=False)
