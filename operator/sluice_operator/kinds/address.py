"""Where things are on a network: base URLs, networks, header names, patterns of webhooks."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from sluice_operator.kinds.part import refused
from sluice_operator.kinds.quantity import schema, text_of

URL_PATTERN = r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[^?#\s]*)?$"
CIDR_PATTERN = r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$"


def _url(value: Any) -> str:
    text = text_of(value, "https://models.example.com/v1")
    found = re.fullmatch(URL_PATTERN, text)
    if not found or int((found[2] or ":0")[1:]) > 65_535:
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


Url = Annotated[str, BeforeValidator(_url), schema(URL_PATTERN, 1024)]
"""An address without credentials, query and fragment; a / at its end is taken off."""

Cidr = Annotated[str, BeforeValidator(_cidr), schema(CIDR_PATTERN)]
"""A network: 10.0.0.0/8, fd00::/8."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=128)]
"""A header's name in lower case."""

WebhookPattern = Annotated[
    str, StringConstraints(pattern=r"^https://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?(/.*)?$", max_length=512)
]
"""Where answers may be posted: https://hooks.example.com/x, https://*.example.com."""
