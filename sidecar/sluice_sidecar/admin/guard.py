"""What keeps other sites' pages away from the admin port, which has no login.

A page that points its own name here (DNS rebinding) is told no, and nothing changes for a request that a foreign page
could send (CSRF).
"""

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from sluice_sidecar.ask import Problem

SAFE: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
CSP = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def check_host(host: bytes | None, known: Collection[str]) -> None:
    """Raises Problem(403) for a Host other than localhost, a plain address or a `known` name (lower case, no port)."""
    if host is None:
        # Not from a browser: those always name the site that they believe to talk to.
        return
    name = _host_name(host.decode("latin-1"))
    if name == "localhost" or name.endswith(".localhost") or name in known or _is_address(name):
        return
    raise Problem(
        403,
        "unknown_host",
        f"This port does not answer to the name {name[:100]!r}: use its address, or add the name to its hosts.",
        param="host",
    )


def _host_name(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def check_intent(headers: Mapping[bytes, bytes]) -> None:
    """Raises Problem(403) unless a header is there that a foreign page sends only with this port's consent (CORS)."""
    if b"webhook-id" in headers:
        # A caller of the data port may have named this address: its webhooks come from this very machine.
        raise Problem(403, "webhook_not_wanted", "This port takes no webhooks.", param="webhook-id")
    if headers.get(b"x-sluice-admin") != b"1" and not headers.get(b"content-type", b"").startswith(b"application/json"):
        raise Problem(
            403, "intent_not_shown", "Send content-type: application/json or x-sluice-admin: 1.", param="content-type"
        )
    origin = headers.get(b"origin")
    if (
        origin is not None
        and urlsplit(origin.decode("latin-1")).netloc.lower() != headers.get(b"host", b"").decode("latin-1").lower()
    ):
        raise Problem(403, "foreign_origin", "This port takes no request from another site's page.", param="origin")
