"""Short forms for calls of the upstream client."""

from sluice_sidecar.upstream.client import Client, Origin, Response, Timeouts

PATIENT = Timeouts(connect=5, first_byte=10, total=20)


async def post(client: Client, origin: Origin, body: bytes = b"{}", timeouts: Timeouts = PATIENT) -> Response:
    return await client.send(origin, b"POST", b"/v1/x", [(b"content-type", b"application/json")], body, timeouts)


async def get(client: Client, origin: Origin, timeouts: Timeouts = PATIENT) -> Response:
    return await client.send(origin, b"GET", b"/v1/x", [], b"", timeouts)
