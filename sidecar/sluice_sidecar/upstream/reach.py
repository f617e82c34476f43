"""From a Config's egress to the guard by which clients are made."""

from collections.abc import Container
from pathlib import Path

from sluice_sidecar.config import Egress
from sluice_sidecar.upstream.guard import Guard
from sluice_sidecar.upstream.request import Origin, parse_url
from sluice_sidecar.upstream.trust import Trust


def reach(
    egress: Egress,
    *,
    bundle: Path | None = None,
    loopback: bool = False,
    trusted: Container[tuple[str, int]] = (),
) -> Guard:
    """The guard of a Config. `bundle`: file of the certificates that `egress.ca_bundle` wants trusted.

    Raises ValueError for a network, a proxy or a bundle that is none.
    """
    return Guard(
        egress.allow,
        loopback=loopback,
        trusted=trusted,
        proxy=None if egress.proxy is None else _proxy(egress.proxy),
        trust=Trust(bundle if egress.ca_bundle else None),
    )


def _proxy(url: str) -> Origin:
    try:
        origin, path = parse_url(url)
    except ValueError as error:
        raise ValueError(f"egress.proxy: {error}") from None
    if origin.scheme != "http" or path:
        raise ValueError(f"egress.proxy: {url!r} is not http://host:port; proxies are spoken to in plain HTTP")
    return origin
