"""A request's head holds exactly the lines it was given."""

import pytest

from sluice_sidecar.upstream.request import serialise

SHARED = b" HTTP/1.1\r\nhost: x"


def test_the_client_owns_host_and_framing() -> None:
    headers = [
        (b"Content-Length", b"999"),
        (b"transfer-encoding", b"chunked"),
        (b"HOST", b"other"),
        (b"connection", b"close"),
        (b"accept", b"*/*"),
    ]
    assert serialise(b"POST", b"/", SHARED, headers, 3) == (
        b"POST / HTTP/1.1\r\nhost: x\r\naccept: */*\r\ncontent-length: 3\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "said"), [(b"POST", True), (b"PUT", True), (b"GET", False), (b"DELETE", False)])
def test_an_empty_body_has_a_length_where_one_is_expected(method: bytes, said: bool) -> None:
    assert (b"content-length: 0\r\n" in serialise(method, b"/", SHARED, [], 0)) is said


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\ny", b"a\ry", b"a\0", b"\r\n\r\nGET / HTTP/1.1\r\n"])
def test_a_value_with_a_line_break_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="'x-evil' holds a line break"):
        serialise(b"GET", b"/", SHARED, [(b"a", b"b"), (b"x-evil", value)], 0)


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xe9", b"a\0"])
def test_a_name_that_is_no_token_is_refused(name: bytes) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="header name"):
            serialise(b"GET", b"/", SHARED, [(name, b"v")], 0)


@pytest.mark.parametrize("target", [b"", b"x", b"http://other/", b"/a b", b"/a\r\nx: y", b"/\0", b"/\x7f", b"/\xc3"])
def test_a_target_that_would_change_the_request_is_refused(target: bytes) -> None:
    with pytest.raises(ValueError, match="request target"):
        serialise(b"GET", target, SHARED, [], 0)


@pytest.mark.parametrize("method", [b"", b"G ET", b"GET /", b"GET\r\n"])
def test_a_method_that_is_no_token_is_refused(method: bytes) -> None:
    with pytest.raises(ValueError, match="HTTP method"):
        serialise(method, b"/", SHARED, [], 0)
