"""Where webhooks may go, by the address as it is written. What its name resolves to is the egress guard's to judge."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from sluice_sidecar.upstream.client import Origin, parse_url

LONGEST = 2_048
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Destination:
    """An address, taken apart. Its path and query may hold a token of the receiver's: only the origin is shown."""

    origin: Origin
    target: bytes = field(repr=False)
    near: bool = False
    """Written as an address of this machine, which was allowed."""


class NotAllowed(ValueError):  # noqa: N818  (what it is, and not what went wrong)
    """An address to which no webhook may go."""


class Allowed:
    """The addresses that a BatchWindow allows.

    `patterns`: https://hooks.example.com, with a port where it is not 443, with a path where only what is below it is
    meant; *. before the host stands for every name below it. `loopback`: on one machine, plain http to 127.0.0.1, ::1
    and localhost is good too.
    """

    def __init__(self, patterns: Sequence[str], *, loopback: bool = False) -> None:
        self._patterns = [_pattern(text) for text in patterns]
        self._shown = ", ".join(patterns) or "nothing"
        self._loopback = loopback

    def destination(self, url: str) -> Destination:
        """The address, taken apart. Raises NotAllowed, which says why and what would do."""
        found = _destination(url)
        origin = found.origin
        if self._loopback and _is_loopback(origin.host):
            return replace(found, near=True)
        if origin.scheme != "https":
            raise NotAllowed(f"webhook to {origin}: plain http; write https://")
        path = found.target.partition(b"?")[0].decode()
        for host, port, below in self._patterns:
            named = origin.host == host if not host.startswith("*.") else origin.host.endswith(host[1:])
            if named and origin.port == port and (path == below or path.startswith(below.rstrip("/") + "/")):
                return found
        raise NotAllowed(
            f"webhook to {origin}: the BatchWindow does not allow this address; spec.webhooks.allow has {self._shown}"
        )


def _destination(url: str) -> Destination:
    if len(url) > LONGEST:
        raise NotAllowed(f"webhook: an address of {len(url)} characters; at most {LONGEST} are read")
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise NotAllowed("webhook: an address is of visible ASCII characters without backslash; percent-encode others")
    try:
        parts = urlsplit(url)
        origin, _ = parse_url(f"{parts.scheme}://{parts.netloc}")
    except ValueError as error:
        raise NotAllowed(f"webhook: {error}") from None
    if parts.fragment or "#" in url:
        raise NotAllowed(f"webhook to {origin}: an address to call has no fragment")
    if any(step in (".", "..") for step in re.split(r"[/\\]", unquote(parts.path))):
        raise NotAllowed(f"webhook to {origin}: a path with . or .. as a step; write where it leads")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if parts.query:
        target += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~")
    return Destination(origin._replace(host=origin.host.lower().rstrip(".")), target.encode("ascii"))


def _pattern(text: str) -> tuple[str, int, str]:
    """Host, perhaps with *. before it; port; path below which it holds."""
    parts = urlsplit(text)
    host, _, port = parts.netloc.partition(":")
    if parts.scheme != "https" or not host:
        raise ValueError(f'"{text}" is not an address for webhooks; write for example https://*.example.com')
    return host.lower().rstrip("."), int(port or 443), parts.path or "/"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
