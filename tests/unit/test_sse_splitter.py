"""Server-sent events as the standard defines them."""

import pytest

from sluice_sidecar.upstream.sse import Event, Splitter


def split(stream: bytes) -> list[tuple[bytes | None, bytes]]:
    return [(event.data, event.event) for event in Splitter().feed(stream)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [(b"a", b"message")]),
        (b"data:a\n\n", [(b"a", b"message")]),
        (b"data:  a \n\n", [(b" a ", b"message")]),
        (b"data\n\n", [(b"", b"message")]),
        (b"data:\n\n", [(b"", b"message")]),
        (b"data: a\ndata: b\n\n", [(b"a\nb", b"message")]),
        (b"data: a\n\ndata: b\n\n", [(b"a", b"message"), (b"b", b"message")]),
        (b"event: ping\ndata: {}\n\n", [(b"{}", b"ping")]),
        (b"data: {}\nevent:ping\n\n", [(b"{}", b"ping")]),
        (b"event:\ndata: x\n\n", [(b"x", b"message")]),
        (b": keep-alive\n\n", [(None, b"message")]),
        (b":\n\n", [(None, b"message")]),
        (b": a\ndata: b\nid: 7\nretry: 1\nother: x\n\n", [(b"b", b"message")]),
        (b"event: ping\n\n", [(None, b"ping")]),
        (b"database: x\n\n", [(None, b"message")]),
        (b" data: x\n\n", [(None, b"message")]),
        (b"data: a: b\n\n", [(b"a: b", b"message")]),
        (b"\xef\xbb\xbfdata: a\n\n", [(b"a", b"message")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [(b"a", b"message"), (None, b"message")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [(b"a", b"message"), (b"b", b"message")]),
        (b"data: a\r\rdata: b\r\r", [(b"a", b"message"), (b"b", b"message")]),
        (b"data: a\rdata: b\ndata: c\r\n\n", [(b"a\nb\nc", b"message")]),
        (b"\n\n\ndata: a\n\n\n\ndata: b\n\n", [(b"a", b"message"), (b"b", b"message")]),
        (b"data: \xc3\xa9\n\n", [("é".encode(), b"message")]),
    ],
)
def test_what_the_standard_says(stream: bytes, events: list[tuple[bytes | None, bytes]]) -> None:
    assert split(stream) == events


def test_an_event_carries_its_bytes() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: a\r\n\r\n: b\n\nda") == [
        Event(b"data: a\r\n\r\n", b"a"),
        Event(b": b\n\n", None),
    ]
    assert splitter.pending == b"da"


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_an_event_comes_with_its_last_byte(end: bytes) -> None:
    splitter = Splitter()
    for _ in range(3):
        for byte in b"data: a" + end[:-1]:
            assert splitter.feed(bytes([byte])) == []
        assert [event.data for event in splitter.feed(end[-1:])] == [b"a"]
        assert splitter.pending == b""


def test_an_event_without_end_is_pending() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: a\n\ndata: [DO") == [Event(b"data: a\n\n", b"a")]
    assert splitter.pending == b"data: [DO"
    assert splitter.feed(b"NE]\n\n") == [Event(b"data: [DONE]\n\n", b"[DONE]")]


@pytest.mark.parametrize("chunks", [[b"data: " + b"x" * 20 + b"\n\n"], [b"data: "] + [b"x"] * 20, [b"\n" * 30]])
def test_an_event_larger_than_the_limit_is_refused(chunks: list[bytes]) -> None:
    splitter = Splitter(limit=20)
    assert splitter.feed(b"data: fits\n\n")
    with pytest.raises(ValueError, match="20 bytes"):
        [splitter.feed(chunk) for chunk in chunks]
