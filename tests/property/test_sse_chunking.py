"""Where a network cuts a stream changes nothing, and no byte of it is lost."""

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from sluice_sidecar.upstream.sse import Event, Splitter

FIELDS = [b"data", b"event", b": ", b":", b"x", b"\xef\xbb\xbf", "é".encode()]
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"data: {}\n\n"]
streams = st.lists(st.sampled_from(FIELDS + ENDS), max_size=40).map(b"".join)


def fed(chunks: list[bytes]) -> tuple[list[Event], bytes]:
    splitter = Splitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events, splitter.pending


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(borders)]


@given(stream=streams, places=st.lists(st.integers(0, 1000), max_size=12))
@example(stream=b"\xef\xbb\xbfdata: a\r\r\ndata: b\n\r\n", places=[1, 2, 8, 10, 11, 12])
def test_any_cuts_give_the_same_events(stream: bytes, places: list[int]) -> None:
    whole = fed([stream])
    assert fed(cut(stream, places)) == whole
    assert fed([stream[at : at + 1] for at in range(len(stream))]) == whole
    events, pending = whole
    assert b"".join(event.raw for event in events) + pending == stream


def reference(stream: bytes) -> list[tuple[bytes, bytes]]:
    """The standard's algorithm, line by line; what it dispatches."""
    found: list[tuple[bytes, bytes]] = []
    data: list[bytes] = []
    kind = b"message"
    stream = stream.removeprefix(b"\xef\xbb\xbf")
    lines = re.split(rb"\r\n|\n|\r", stream)
    for line in lines[:-1]:  # the last has no end yet
        if not line:
            if data:
                found.append((b"\n".join(data), kind))
            data, kind = [], b"message"
        elif line == b"data" or line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line == b"event" or line.startswith(b"event:"):
            kind = line[6:].removeprefix(b" ") or b"message"
    return found


@given(stream=streams)
def test_it_is_the_standard(stream: bytes) -> None:
    events, pending = fed([stream])
    ours = [(event.data, event.event) for event in events if event.data is not None]
    theirs = reference(stream)
    # a CR at the very end may be half of a CRLF: that one event may still wait
    waits = pending.endswith(b"\r")
    assert ours == theirs or (waits and ours == theirs[:-1])
