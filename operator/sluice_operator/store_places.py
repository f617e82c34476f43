"""Where the servers of managed stores are reached: at their names, or, outside the cluster, wherever somebody says."""

from collections.abc import Mapping
from urllib.parse import urlsplit

Place = tuple[str, int]
"""Host and port."""


class Places:
    """`told` maps host:port as it is known in the cluster to host:port as it is reached from here."""

    def __init__(self, told: Mapping[str, str] | None = None) -> None:
        self._told = dict(told or {})

    def address(self, address: str) -> Place:
        """Host and port of `host:port`."""
        host, _, port = self._told.get(address, address).rpartition(":")
        return host.strip("[]"), int(port)

    def url(self, url: str) -> str:
        """The same URL (scheme, host, port, path) at the place where it is reached."""
        parts = urlsplit(url)
        return parts._replace(netloc=self._told.get(parts.netloc, parts.netloc)).geturl()
