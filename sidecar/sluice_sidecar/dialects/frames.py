"""Server-sent event frames that the gateway writes itself."""

from typing import Any, Final

import orjson

DONE: Final = b"data: [DONE]\n\n"
"""OpenAI's end of a stream."""

_MOST_PIECES = 8
_LEAST_CHARACTERS = 24


def data_frame(data: Any) -> bytes:
    """One event that has data alone, as OpenAI sends them."""
    return b"data: %b\n\n" % orjson.dumps(data)


def named_frame(data: dict[str, Any]) -> bytes:
    """One event named after its data's `type`, as Anthropic sends them."""
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), orjson.dumps(data))


def pieces(text: str) -> list[str]:
    """`text` in at most eight pieces, as a stream would bring it; none for the empty text."""
    size = max(_LEAST_CHARACTERS, -(-len(text) // _MOST_PIECES))
    return [text[at : at + size] for at in range(0, len(text), size)]
