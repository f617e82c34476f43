"""Egress guard: where the gateway may connect to, decided by address and not by name.

A name is resolved once, every address it has is checked, and the connection goes to exactly those addresses: a name
server that answers differently a moment later (DNS rebinding) gains nothing. A name that goes through a proxy is the
proxy's to resolve, and where it leads the proxy's to judge: here only names that are addresses can be judged then.
"""

import asyncio
import socket
from collections.abc import Container, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import cast

from sluice_sidecar.upstream.errors import ConnectFailed, EgressDenied
from sluice_sidecar.upstream.request import Origin
from sluice_sidecar.upstream.trust import Trust

SockAddr = tuple[str, int] | tuple[str, int, int, int]
"""What a socket connects to: (address, port), and for IPv6 also (flow, scope)."""

Address = IPv4Address | IPv6Address


class Guard:
    """Lets connections go to global addresses, and to what `allow` and `loopback` name.

    `allow`: addresses and networks ("10.0.0.0/8", "fd12::1"); ValueError for anything else. `loopback` allows
    127.0.0.0/8 and ::1. Addresses of a cloud's metadata service are allowed only where they are listed one by one.
    `trusted`: (host, port) pairs whose private addresses need no leave, for they come from the operator and not from a
    user; it may change meanwhile. `proxy` (http) takes the calls that `proxied` names, and may have a private address
    itself. `trust` says which certificates are good; default: those of the system's authorities.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        loopback: bool = False,
        trusted: Container[tuple[str, int]] = (),
        proxy: Origin | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._allow = tuple(_network(text) for text in allow)
        self._loopback = loopback
        self._trusted = trusted
        self.proxy = proxy
        self.trust = trust or Trust()

    def proxied(self, host: str, port: int) -> bool:
        """Whether calls to there go through the proxy.

        Not: trusted pairs, names without a dot and of a cluster (DIRECT), addresses in `allow`, loopback where it is
        allowed. Raises EgressDenied for an address that may not be called, in whatever form, and for the names by which
        clouds call their metadata services.
        """
        if self.proxy is None or (host, port) in self._trusted:
            return False
        name = host.rstrip(".").lower()
        if name in _METADATA_NAMES:
            raise EgressDenied(f"egress denied: host {host!r} is {_METADATA}")
        address = _written(name)
        if address is None:
            return "." in name and not name.endswith(DIRECT)
        self.check(host, str(address))
        inner = _embedded(address)
        return _denied(inner) is None and not any(address in network or inner in network for network in self._allow)

    async def addresses(self, host: str, port: int) -> list[SockAddr]:
        """Where `host` is, in the resolver's order. Raises ConnectFailed if nowhere, EgressDenied if one is denied."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(f"cannot resolve host {host!r}: {getattr(error, 'strerror', None) or error}") from error
        addresses = list(dict.fromkeys(cast(SockAddr, entry[4]) for entry in found))
        if not addresses:
            raise ConnectFailed(f"host {host!r} has no address")
        trusted = (host, port) in self._trusted or (self.proxy is not None and (host, port) == self.proxy[1:])
        for address in addresses:
            self.check(host, address[0], trusted=trusted)
        return addresses

    def check(self, host: str, address: str, *, trusted: bool = False) -> None:
        """Raises EgressDenied where `address`, which `host` has, may not be connected to."""
        outer = ip_address(address.partition("%")[0])
        inner = _embedded(outer)
        # a tunnel's address is as good as what it leads to; allowing either form allows it
        kind = _denied(inner)
        if kind is None or (kind == "a loopback address" and self._loopback) or (trusted and kind in _INSIDE):
            return
        for network in self._allow:
            exact = network.prefixlen == network.max_prefixlen
            if (outer in network or inner in network) and (exact or kind != _METADATA):
                return
        where = f"host {host!r} is {outer}" if host != str(outer) else f"{outer}"
        leads = f" (leads to {inner})" if inner != outer else ""
        raise EgressDenied(
            f"egress denied: {where}{leads}, {kind}; to let the gateway connect there, "
            f'add "{inner}/{inner.max_prefixlen}" to SluiceGateway spec.egress.allow'
        )


DIRECT = (".svc", ".cluster.local", ".localhost")
"""Ends of names that never go through a proxy: a cluster's Services and pods, and this machine."""

_METADATA = "a cloud metadata service"
_METADATA_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.tencentyun.com"}
)
_INSIDE = frozenset({"a private address", "a carrier-grade NAT address"})
"""Where pods and Services live."""

_METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle and most others
        "169.254.170.2",  # AWS ECS task credentials
        "169.254.170.23",  # AWS EKS pod identity
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS EKS pod identity
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's host: a global address that leads into the platform
    )
)

# What is not globally reachable, by the IANA registries of special-purpose addresses (RFC 6890 and its updates). Listed
# here and not asked of ipaddress.is_global, which differs between patch releases of Python.
_DENIED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)

# IPv6 the other way round: only global unicast is good, and not all of it.
_GLOBAL_V6 = IPv6Network("2000::/3")
_DENIED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::1/128", "a loopback address"),
        ("::/128", "an unspecified address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"),  # Teredo too, whose embedded address is only a relay's claim
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
    )
)

_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address is another form of, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if address in _MAPPED or address in _TRANSLATED or address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    return address


def _written(name: str) -> Address | None:
    """The address that a host is, also in the old forms that resolvers take: 127.1, 0x7f.0.0.1, 2130706433."""
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


def _denied(address: Address) -> str | None:
    """What kind of address it is that needs leave to be connected to; None for a global one."""
    if address in _METADATA_ADDRESSES:
        return _METADATA
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _DENIED_V4 if address in network), None)
    kind = next((kind for network, kind in _DENIED_V6 if address in network), None)
    return kind or (None if address in _GLOBAL_V6 else "a reserved address")


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"spec.egress.allow: {text!r} is not an address or network: {error}") from None
