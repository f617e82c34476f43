"""What can go wrong between the gateway and an upstream."""

# ruff: noqa: N801, N818 -- these names are read in logs and metrics, where an "Error" at each end only adds noise


class UpstreamError(Exception):
    """An upstream call failed.

    `before_head` is True as long as no response head had come: only then may the caller try again elsewhere.
    """

    def __init__(self, message: str, *, before_head: bool = True) -> None:
        super().__init__(message)
        self.before_head = before_head


class ConnectFailed(UpstreamError):
    """No connection: name not found, refused, unreachable, or TLS failed. Nothing was sent."""


class ConnectTimeout(UpstreamError):
    """Name resolution, TCP and TLS together took longer than `Timeouts.connect`. Nothing was sent."""


class FirstByteTimeout(UpstreamError):
    """The request was written, and no response head came within `Timeouts.first_byte`."""


class TotalTimeout(UpstreamError):
    """The call was not complete within `Timeouts.total`."""


class ConnectionReset_(UpstreamError):
    """The upstream closed or reset the connection before its answer was complete; the name alone is a builtin."""


class BadResponse(UpstreamError):
    """What came is not HTTP/1.1, or its head or framing is larger than a head may be."""


class TooLarge(UpstreamError):
    """The answer's body is larger than the caller's limit."""


class ProxyRefused(UpstreamError):
    """The proxy does not let the call through. Nothing of it was sent to the upstream."""


class EgressDenied(UpstreamError):
    """A host's address is one that this gateway may not connect to."""
