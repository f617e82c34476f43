"""Server-sent events: bytes in, whole events out, nothing lost of what came.

Grammar: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import re
from typing import NamedTuple


class Event(NamedTuple):
    """One event. `raw` is its bytes as they came, the closing blank line included; `data` is None for a comment.

    Several data lines are joined by LF. Blank lines before an event belong to its `raw`. A named tuple, because a
    stream makes one a token.
    """

    raw: bytes
    data: bytes | None
    event: bytes = b"message"


class Splitter:
    """Cuts a byte stream into events, whatever the chunks' borders; LF, CRLF and CR line ends.

    An event of more than `limit` bytes raises ValueError.
    """

    __slots__ = ("_first", "_limit", "_rest", "_scanned", "_start")

    def __init__(self, limit: int = 16_777_216) -> None:
        self._rest = bytearray()
        self._limit = limit
        self._start = 0  # where the event in _rest starts, behind a byte order mark and blank lines
        self._scanned = 0  # no event ends before
        self._first = True  # a byte order mark may come

    def feed(self, chunk: bytes) -> list[Event]:
        """Events that `chunk` completes."""
        if (
            not self._rest
            and chunk[-2:] == b"\n\n"
            and chunk[:1] not in _SPECIAL
            and b"\r" not in chunk
            and b"\n\n\n" not in chunk
            and len(chunk) <= self._limit
        ):
            self._first = False
            if chunk[:6] == b"data: " and chunk.find(b"\n") == len(chunk) - 2:
                return [Event(chunk, chunk[6:-2])]  # a token, a packet, an event
            blocks = chunk.split(b"\n\n")
            blocks.pop()
            return [
                Event(block + b"\n\n", block[6:])
                if block[:6] == b"data: " and b"\n" not in block
                else _event(block + b"\n\n", 0)
                for block in blocks
            ]
        return self._slowly(chunk)

    @property
    def pending(self) -> bytes:
        """Bytes of an event that has not ended."""
        return bytes(self._rest)

    def _slowly(self, chunk: bytes) -> list[Event]:
        rest, start, scanned, cut = self._rest, self._start, self._scanned, 0
        rest += chunk
        events: list[Event] = []
        while True:
            if self._first and start < 3 and rest.startswith(_MARK):
                start = 3
            blank = _BLANK.match(rest, start)
            if blank is not None:
                start = blank.end()
            end = _END.search(rest, max(start, scanned))
            if end is None:
                break
            if end.end() - cut > self._limit:
                raise ValueError(f"an event of the stream exceeds {self._limit} bytes")
            events.append(_event(bytes(rest[cut : end.end()]), start - cut))
            start = scanned = cut = end.end()
            self._first = False
        del rest[:cut]
        if len(rest) > self._limit:
            raise ValueError(f"an event of the stream exceeds {self._limit} bytes")
        self._start = start - cut
        self._scanned = max(self._start, len(rest) - 2)  # the longest start of an end that may go on in the next chunk
        return events


_MARK = b"\xef\xbb\xbf"
_SPECIAL = (b"\n", b"\xef")

# A blank line behind another line's end. A CR in that place is the whole of it only if no LF follows, so it waits for
# one more byte; but not behind a bare CR: there the stream's line end is CR, and waiting would be one event too late.
_END = re.compile(rb"\n(?:\n|\r\n|\r(?=[^\n]))|\r\r")
_BLANK = re.compile(rb"[\r\n]+")
_LINE_END = re.compile(rb"\r\n|\n|\r")


def _event(raw: bytes, start: int) -> Event:
    text = raw[start:] if start else raw
    data: list[bytes] = []
    event = b"message"
    for line in _LINE_END.split(text) if b"\r" in text else text.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value[1:] if value[:1] == b" " else value)
        elif name == b"event":
            event = (value[1:] if value[:1] == b" " else value) or b"message"
    return Event(raw, b"\n".join(data) if data else None, event)
