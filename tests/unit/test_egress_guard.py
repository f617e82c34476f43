"""The guard decides by address: what is not global needs leave, in whatever form it is written."""

import pytest

from sluice_sidecar.upstream.errors import ConnectFailed, EgressDenied
from sluice_sidecar.upstream.guard import Guard


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
async def test_global_addresses_are_free(address: str) -> None:
    assert [found[0] for found in await Guard().addresses(address, 443)] == [address]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.3", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("169.254.1.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("168.63.129.16", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("192.0.0.8", "reserved"),
        ("198.18.0.1", "benchmarking"),
        ("203.0.113.5", "documentation"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fe80::1", "link-local"),
        ("2001:db8::1", "documentation"),
        ("2001::1", "reserved"),
        ("4000::1", "reserved"),
        ("64:ff9b:1::a00:1", "reserved"),
    ],
)
async def test_what_is_not_global_is_denied(host: str, kind: str) -> None:
    with pytest.raises(EgressDenied, match=kind):
        await Guard().addresses(host, 80)


@pytest.mark.parametrize(
    ("host", "inner"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:169.254.169.254", "169.254.169.254"),
        ("::ffff:0:10.0.0.1", "10.0.0.1"),
        ("::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::a00:1", "10.0.0.1"),
        ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
        ("2002:a00:1::", "10.0.0.1"),
        ("2002:7f00:1::1", "127.0.0.1"),
    ],
)
async def test_an_address_inside_an_address_is_seen(host: str, inner: str) -> None:
    with pytest.raises(EgressDenied, match=rf"leads to {inner}\)"):
        await Guard().addresses(host, 80)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1"])
async def test_other_spellings_of_loopback_are_seen(host: str) -> None:
    with pytest.raises(EgressDenied, match=rf"host '{host}' is 127\.0\.0\.1"):
        await Guard().addresses(host, 80)
    assert await Guard(loopback=True).addresses(host, 80) == [("127.0.0.1", 80)]


async def test_a_name_is_judged_by_its_addresses() -> None:
    with pytest.raises(EgressDenied, match="host 'localhost' is"):
        await Guard().addresses("localhost", 80)
    found = await Guard(loopback=True).addresses("localhost", 80)
    assert {address[0] for address in found} <= {"127.0.0.1", "::1"}


async def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(ConnectFailed, match="cannot resolve host"):
        await Guard().addresses("nowhere.invalid", 80)


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "169.254.0.1", "fe80::1", "::ffff:10.0.0.1"])
async def test_loopback_allows_nothing_else(host: str) -> None:
    with pytest.raises(EgressDenied):
        await Guard(loopback=True).addresses(host, 80)


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("::ffff:10.1.2.3/128", "::ffff:10.1.2.3"),
        ("fd00::/8", "fd12::1"),
        ("127.0.0.0/8", "127.0.0.1"),
        ("169.254.169.254", "169.254.169.254"),
    ],
)
async def test_what_is_listed_is_allowed(allow: str, host: str) -> None:
    assert await Guard([allow]).addresses(host, 80)
    with pytest.raises(EgressDenied):
        await Guard().addresses(host, 80)


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("10.0.0.0/8", "172.16.0.1"),
        ("10.0.0.0/8", "fd00::1"),
        ("0.0.0.0/0", "169.254.169.254"),
        ("169.254.0.0/16", "169.254.169.254"),
        ("fd00::/8", "fd00:ec2::254"),
    ],
)
async def test_a_network_does_not_allow_what_is_outside_nor_metadata(allow: str, host: str) -> None:
    with pytest.raises(EgressDenied):
        await Guard([allow]).addresses(host, 80)


async def test_the_refusal_says_what_to_add() -> None:
    with pytest.raises(EgressDenied) as caught:
        await Guard().addresses("10.0.0.7", 80)
    assert str(caught.value) == (
        "egress denied: 10.0.0.7, a private address; to let the gateway connect there, "
        'add "10.0.0.7/32" to SluiceGateway spec.egress.allow'
    )


@pytest.mark.parametrize("allow", ["10.0.0.1/8", "example.com", "", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(allow: str) -> None:
    with pytest.raises(ValueError, match=r"spec\.egress\.allow"):
        Guard([allow])


def test_a_trusted_place_may_be_private_but_not_loopback_or_metadata() -> None:
    guard = Guard()
    guard.check("model", "10.0.0.7", trusted=True)
    for address in ("127.0.0.1", "169.254.1.1", "169.254.169.254"):
        with pytest.raises(EgressDenied):
            guard.check("model", address, trusted=True)


async def test_trust_is_in_a_host_and_port_and_may_be_taken_back() -> None:
    trusted = {("10.0.0.7", 8080)}
    guard = Guard(trusted=trusted)
    assert await guard.addresses("10.0.0.7", 8080)
    with pytest.raises(EgressDenied):
        await guard.addresses("10.0.0.7", 8081)
    trusted.clear()
    with pytest.raises(EgressDenied):
        await guard.addresses("10.0.0.7", 8080)
