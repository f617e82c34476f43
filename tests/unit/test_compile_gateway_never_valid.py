"""A SluiceGateway that was never valid keeps everything closed, however often it is compiled."""

from doubles.objects import gateway, parsed, route
from sluice_operator.compile import compile  # noqa: A004

BROKEN = gateway(auth={"keys": {"secret": "keys"}}, expose={"tls": {"secret": "tls"}})
ROUTE = route("open", {"name": "a", "custom": {"url": "http://10.0.0.9/v1", "dialect": "OpenAI"}})


def test_compiling_again_opens_nothing() -> None:
    config = compile(parsed(ROUTE, BROKEN)).config
    for _ in range(3):
        assert config.routes == {}
        assert config.closed
        config = compile(parsed(ROUTE, BROKEN), config).config


def test_a_mended_one_opens_with_its_keys() -> None:
    closed = compile(parsed(ROUTE, BROKEN)).config
    config = compile(parsed(ROUTE, gateway(auth={"keys": {"secret": "keys"}})), closed).config
    assert set(config.routes) == {"open"}
    assert config.gateway.keys_secret == "keys"
    assert not config.closed


def test_one_that_breaks_later_keeps_its_keys() -> None:
    good = compile(parsed(ROUTE, gateway(auth={"keys": {"secret": "keys"}}))).config
    config = compile(parsed(ROUTE, BROKEN), good).config
    assert set(config.routes) == {"open"}
    assert config.gateway.keys_secret == "keys"
