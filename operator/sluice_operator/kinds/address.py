"""Where things are on a network: base URLs, networks, header names, patterns of webhooks."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from sluice_operator.kinds.part import cured, refused
from sluice_operator.kinds.quantity import schema, text_of

_PORT = r"0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
URL_PATTERN = rf"^https?://{_HOST}(:{_PORT})?(/[^?#\s]*)?$"
CIDR_PATTERN = (
    rf"^({_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?[0-9])|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
)
_URL = (
    URL_PATTERN,
    "a base URL (http:// or https://, a host, a port up to 65535, no user, no ? and no #)",
    "https://models.example.com/v1",
    1024,
)


def _url(value: Any) -> str:
    text = text_of(value, "https://models.example.com/v1")
    if not re.fullmatch(URL_PATTERN, text):
        why = (
            "it holds a user name or password, which belong in a Secret"
            if re.match(r"https?://[^/?#]*@", text)
            else "http:// or https://, a host, a port up to 65535, no ? and no #"
        )
        raise refused("format", f'"{text}" is not a base URL: {why}; write for example "https://models.example.com/v1"')
    return text.rstrip("/")


def _cidr(value: Any) -> str:
    text = text_of(value, "10.0.0.0/8")
    try:
        if "/" not in text:
            raise ValueError("it has no prefix length")
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise refused("format", f'"{text}" is not a network: {error}; write for example "10.0.0.0/8"') from None


Url = Annotated[str, BeforeValidator(_url), schema(*_URL)]
"""An address without credentials, query and fragment; a / at its end is taken off."""

Cidr = Annotated[str, BeforeValidator(_cidr), schema(CIDR_PATTERN, "a network", "10.0.0.0/8")]
"""A network: 10.0.0.0/8, fd00::/8."""

HostPort = Annotated[
    str,
    StringConstraints(pattern=rf"^{_HOST}:{_PORT}$", max_length=253),
    cured("not an address: write host:port, for example redis.example.com:6379"),
]
"""A server's address: redis.example.com:6379."""

ProxyUrl = Annotated[
    str,
    StringConstraints(pattern=rf"^http://{_HOST}(:{_PORT})?/?$", max_length=1024),
    cured(
        "not the address of a proxy: write for example http://proxy.example.com:3128, without a path; a user or "
        "password has no place here yet: let the gateways' addresses pass at the proxy"
    ),
]
"""A proxy that is spoken to in plain HTTP: http://proxy.example.com:3128. It cannot be given a user or password."""

HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=128),
    cured("not a header's name in lower case: write for example x-department"),
]
"""A header's name in lower case."""

WebhookPattern = Annotated[
    str,
    StringConstraints(pattern=rf"^https://(\*\.)?[A-Za-z0-9.-]+(:{_PORT})?(/.*)?$", max_length=512),
    cured("not an address for webhooks: write for example https://hooks.example.com/x or https://*.example.com"),
]
"""Where answers may be posted: https://hooks.example.com/x, https://*.example.com."""
