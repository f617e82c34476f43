"""Which headers cross the gateway, and which end here."""

from collections.abc import Iterable, Mapping

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"]
)
"""RFC 9110, 7.6.1, and what old proxies send."""

_CALLER_ONLY = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"content-type",  # the body sent is JSON in UTF-8, whatever the caller called it
    b"content-encoding",
    b"expect",
    # What proves who the caller is to us must never reach a provider.
    b"authorization",
    b"proxy-authorization",
    b"x-api-key",
    b"api-key",
    b"cookie",
    # The upstream's bytes are read here, so they must come as they are.
    b"accept-encoding",
    b"forwarded",
    b"x-real-ip",
    b"via",
}

_UPSTREAM_ONLY = HOP_BY_HOP | {
    b"content-length",
    b"content-encoding",
    b"set-cookie",
    b"proxy-authenticate",
    b"alt-svc",
    b"strict-transport-security",
    b"date",
    b"server",
}


class _Passing(dict[bytes, bool]):
    """Whether a header passes, by name: one look-up a header. Callers choose names, so it has an end."""

    def __init__(self, stopped: frozenset[bytes], prefixes: tuple[bytes, ...]) -> None:
        self._stopped, self._prefixes = stopped, prefixes

    def __missing__(self, name: bytes) -> bool:
        passes = name not in self._stopped and not name.startswith(self._prefixes)
        if len(self) < 1024:
            self[name] = passes
        return passes


_TO_UPSTREAM = _Passing(_CALLER_ONLY, (b"x-sluice-", b"x-forwarded-"))
_TO_CALLER = _Passing(_UPSTREAM_ONLY, (b"x-sluice-",))


def forwarded(headers: Mapping[bytes, bytes], own: Iterable[Header]) -> list[Header]:
    """The headers of an upstream call: the caller's (names in lower case) that may pass, then our `own`."""
    kept = [item for item in headers.items() if _TO_UPSTREAM[item[0]]]
    connection = headers.get(b"connection")
    if connection is not None and connection not in (b"keep-alive", b"Keep-Alive", b"close"):
        named = {name.strip().lower() for name in connection.split(b",")}
        kept = [item for item in kept if item[0] not in named]
    kept += own
    return kept


def returned(headers: Iterable[Header]) -> list[Header]:
    """An upstream's response headers (names in lower case) that the caller gets; order and repeats kept."""
    return [item for item in headers if _TO_CALLER[item[0]]]
