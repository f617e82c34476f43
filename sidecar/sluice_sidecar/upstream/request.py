"""Where a request goes, how long it may take, and its bytes on the wire."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast
from urllib.parse import quote, urlsplit


class Origin(NamedTuple):
    """Scheme, host and port: what one pool of connections serves. A named tuple, so that hashing it costs nothing."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` counts from the request written to its response head, `total` from the call."""

    connect: float
    first_byte: float
    total: float


@dataclass(frozen=True, slots=True)
class Incoming:
    """A body of `length` bytes that is sent on as it comes in, and so can be sent but once."""

    length: int
    pieces: AsyncIterator[bytes]


def parse_url(url: str) -> tuple[Origin, bytes]:
    """Origin and base path of a backend's URL; the path is percent-encoded and has no slash at its end.

    Raises ValueError, which names the URL and what is wrong with it.
    """
    shown = repr(_USER.sub("//", url))  # a password is not for a log
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("ascii" if ":" in (parts.hostname or "") else "idna").decode("ascii")
    except ValueError as error:  # UnicodeError is one
        raise ValueError(f"URL {shown}: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"URL {shown}: the scheme must be http or https")
    if not host or not _HOST.fullmatch(host):
        raise ValueError(f"URL {shown}: there is no valid host in it")
    if parts.username is not None:
        raise ValueError(f"URL {shown}: a user or password does not belong in it; give a credential instead")
    if parts.query or parts.fragment:
        raise ValueError(f"URL {shown}: a base URL has neither a query nor a fragment")
    scheme = cast(Literal["http", "https"], parts.scheme)
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~").encode("ascii")
    return Origin(scheme, host, port or (443 if scheme == "https" else 80)), path


def authority(origin: Origin, *, always: bool = False) -> bytes:
    """Host and port as requests name them: the port where it is not the scheme's own, or `always`."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    if always or origin.port != (443 if origin.scheme == "https" else 80):
        host = f"{host}:{origin.port}"
    return host.encode("ascii")


def opening(origin: Origin) -> bytes:
    """The end of a request line and the host header: what every request to `origin` shares."""
    return b" HTTP/1.1\r\nhost: " + authority(origin)


def absolute(origin: Origin) -> bytes:
    """What stands before the path in a request line to a proxy (absolute-form, RFC 9112, section 3.2.2)."""
    return b" " + origin.scheme.encode() + b"://" + authority(origin)


def serialise(
    method: bytes,
    target: bytes,
    shared: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    length: int,
    *,
    before: bytes = b" ",
) -> bytes:
    """A request's head, `shared` being its origin's `opening`, `length` its body's size in bytes, `before` what stands
    between method and target: a space, or `absolute` of the origin.

    Host and framing headers are the client's own; those given are left out. Raises ValueError where a byte in a name,
    a value or the target would change the message.
    """
    if method not in _METHODS and not _TOKEN.fullmatch(method):
        raise ValueError(f"HTTP method {method!r} is not a token")
    if target[:1] != b"/" or _NOT_IN_TARGET.search(target):
        raise ValueError(f"request target {target!r} must start with / and hold visible ASCII only")
    parts = [method, before, target, shared]
    for name, value in headers:
        line = _LINES.get(name)
        if line is None:
            line = _line(name)
        if line:
            parts.append(line)
            parts.append(value)
    given = (len(parts) - 4) >> 1
    if length or method in _WITH_BODY:
        parts.append(b"\r\ncontent-length: %d" % length)
        given += 1
    parts.append(b"\r\n\r\n")
    head = b"".join(parts)
    # one scan of the whole instead of one a value: more line ends than lines means that a value brought one in
    ends = given + 3
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        name = next((name for name, value in headers if _BREAKS.search(value)), b"host")
        raise ValueError(f"the value of header {name.decode('latin-1')!r} holds a line break or NUL")
    return head


_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
_USER = re.compile("//[^/?#]*@")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET = re.compile(rb"[^\x21-\x7e]")
_BREAKS = re.compile(rb"[\r\n\0]")
_METHODS = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"})
_WITH_BODY = frozenset({b"POST", b"PUT", b"PATCH"})
_OWN = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"te", b"upgrade"})

_LINES: dict[bytes, bytes] = {}  # header name -> how its line starts; empty for a header that is not the caller's
_MOST_NAMES = 1024  # callers choose names: the cache has an end


def _line(name: bytes) -> bytes:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"header name {name!r} is not a token")
    line = b"" if name.lower() in _OWN else b"\r\n" + name + b": "
    if len(_LINES) < _MOST_NAMES:
        _LINES[name] = line
    return line
