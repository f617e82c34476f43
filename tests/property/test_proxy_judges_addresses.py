"""However an address is written, the guard judges it before a proxy does, as it would judge it without one."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.config import Egress
from sluice_sidecar.upstream.errors import EgressDenied
from sluice_sidecar.upstream.reach import reach

GUARD = reach(Egress(proxy="http://proxy.example.com:3128"))

FORMS: tuple[Callable[[IPv4Address], str], ...] = (
    str,
    lambda address: f"{address}.",
    lambda address: str(int(address)),
    lambda address: hex(int(address)),
    lambda address: f"0{int(address):o}",
    lambda address: ".".join(hex(part) for part in address.packed),
    lambda address: ".".join(f"0{part:o}" for part in address.packed),
    lambda address: f"{address.packed[0]}.{int(address) & 0xFFFFFF}",
    lambda address: f"::ffff:{address}",
    lambda address: f"64:ff9b::{address}",
    lambda address: str(IPv6Address(0x2002 << 112 | int(address) << 80)),
)

inside = st.sampled_from([0x0A000000, 0x7F000000, 0xA9FE0000, 0xAC100000, 0xC0A80000]).flatmap(
    lambda network: st.integers(network, network + 0xFFFF)
)


def denied(address: IPv4Address) -> bool:
    try:
        GUARD.check(str(address), str(address))
    except EgressDenied:
        return True
    return False


@given(st.one_of(inside, st.integers(0, 2**32 - 1)).map(IPv4Address), st.sampled_from(FORMS))
def test_every_form_is_judged_alike(address: IPv4Address, form: Callable[[IPv4Address], str]) -> None:
    if denied(address):
        with pytest.raises(EgressDenied):
            GUARD.proxied(form(address), 443)
    else:
        assert GUARD.proxied(form(address), 443)
