"""Whatever bytes a caller brings, a server reads the headers that were given, or the request is not sent."""

import httptools
from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.upstream.request import serialise

# short, and rich in what could do harm
text = st.lists(st.sampled_from([b"a", b"x-b", b":", b" ", b"\r", b"\n", b"\r\n", b"\0", b"\xff", b"/", b"?"])).map(
    b"".join
)


class Server:
    """What a strict server sees."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.urls: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.urls.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))


@given(target=text.map(lambda rest: b"/" + rest), headers=st.lists(st.tuples(text, text), max_size=4))
def test_no_bytes_make_another_request(target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    try:
        head = serialise(b"GET", target, b" HTTP/1.1\r\nhost: x", headers, 0)
    except ValueError:
        return
    server = Server()
    httptools.HttpRequestParser(server).feed_data(head)
    assert server.urls == [target]
    # optional whitespace around a value is not part of it
    assert server.headers == [(b"host", b"x"), *((name, value.strip(b" ")) for name, value in headers)]
