"""A request's body as JSON."""

from typing import Any

import orjson

from sluice_sidecar.ask import Problem


def parsed(raw: bytes, headers: dict[bytes, bytes]) -> dict[str, Any]:
    """The JSON object of a body. Raises Problem(415) for another content type, Problem(400) for what is not one."""
    kind = headers.get(b"content-type", b"application/json")
    if not kind.startswith(b"application/json") and kind.partition(b";")[0].strip().lower() != b"application/json":
        shown = kind[:60].decode("latin-1")
        raise Problem(415, "unsupported_media_type", f"Send content-type: application/json, not {shown!r}.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "invalid_json", f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Problem(400, "invalid_json", "The body must be a JSON object.")
    return body
