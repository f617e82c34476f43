"""Which calls go through egress.proxy, which go directly, and which go nowhere."""

import pytest

from sluice_sidecar.config import Egress
from sluice_sidecar.upstream.errors import EgressDenied
from sluice_sidecar.upstream.reach import reach

PROXY = "http://proxy.example.com:3128"
TRUSTED = {("10.9.8.7", 8000), ("sluice-gateway.team.svc.corp.example", 80)}


def proxied(host: str, *allow: str, port: int = 443, loopback: bool = False) -> bool:
    return reach(Egress(proxy=PROXY, allow=allow), loopback=loopback, trusted=TRUSTED).proxied(host, port)


@pytest.mark.parametrize("host", ["api.openai.com", "8.8.8.8", "2606:4700::1111", "svc.example.com", "a.svc.example"])
def test_what_is_outside_goes_through_the_proxy(host: str) -> None:
    assert proxied(host)


@pytest.mark.parametrize(
    "host", ["models", "localhost", "m.team.svc", "m.team.svc.cluster.local", "M.Team.SVC.", "x.localhost"]
)
def test_names_of_the_cluster_are_called_directly(host: str) -> None:
    assert not proxied(host)


@pytest.mark.parametrize(("host", "port"), sorted(TRUSTED))
def test_the_operators_own_addresses_are_called_directly(host: str, port: int) -> None:
    assert not proxied(host, port=port)
    with pytest.raises(EgressDenied):
        proxied("10.9.8.7", port=443)


@pytest.mark.parametrize(
    ("host", "allow"), [("10.0.0.1", "10.0.0.0/8"), ("8.8.8.8", "8.8.8.0/24"), ("::ffff:10.0.0.1", "10.0.0.0/8")]
)
def test_addresses_in_allow_are_called_directly(host: str, allow: str) -> None:
    assert not proxied(host, allow)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1", "127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.1.", "::1", "fe80::1%eth0",
        "169.254.169.254", "169.254.43518", "0xa9fea9fe", "::ffff:169.254.169.254", "fd00:ec2::254",
        "metadata.google.internal", "Metadata.Google.Internal.",
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_called_are_refused_in_every_form(host: str) -> None:
    with pytest.raises(EgressDenied):
        proxied(host, "192.168.0.0/16")


def test_a_metadata_service_is_not_reached_by_a_wide_network() -> None:
    with pytest.raises(EgressDenied):
        proxied("169.254.169.254", "0.0.0.0/0")


def test_loopback_is_called_directly_where_it_is_allowed() -> None:
    assert not proxied("127.0.0.1", loopback=True)


def test_without_a_proxy_nothing_is_proxied() -> None:
    assert not reach(Egress()).proxied("api.openai.com", 443)


@pytest.mark.parametrize(
    "url", ["https://proxy:3128", "http://user:secret@proxy:3128", "http://proxy:3128/path", "proxy:3128", "http://"]
)
def test_a_proxy_that_is_none_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"egress\.proxy") as caught:
        reach(Egress(proxy=url))
    assert "secret" not in str(caught.value)
