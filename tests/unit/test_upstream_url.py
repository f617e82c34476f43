"""A backend's URL is an origin and a base path, or an error that says what is wrong with it."""

import pytest

from sluice_sidecar.upstream.request import Origin, opening, parse_url


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://api.openai.com/v1", Origin("https", "api.openai.com", 443), b"/v1"),
        ("https://api.openai.com/v1/", Origin("https", "api.openai.com", 443), b"/v1"),
        ("http://127.0.0.1:9100", Origin("http", "127.0.0.1", 9100), b""),
        ("HTTP://Example.COM:80/A%20b", Origin("http", "example.com", 80), b"/A%20b"),
        ("http://[::1]:8080/v1", Origin("http", "::1", 8080), b"/v1"),
        ("https://münchen.example/ü", Origin("https", "xn--mnchen-3ya.example", 443), b"/%C3%BC"),
        ("http://x/a b/", Origin("http", "x", 80), b"/a%20b"),
        ("http://my_service.ns.svc:80/v1", Origin("http", "my_service.ns.svc", 80), b"/v1"),
    ],
)
def test_a_url_is_taken_apart(url: str, origin: Origin, path: bytes) -> None:
    assert parse_url(url) == (origin, path)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("api.openai.com/v1", "scheme"),
        ("ftp://x/", "scheme"),
        ("https:///v1", "host"),
        ("https://a b/", "host"),
        ("https://x:99999/", "[Pp]ort"),
        ("https://x:y/", "[Pp]ort"),
        ("https://user:secret@x/", "credential"),
        ("https://x/v1?key=1", "query"),
        ("https://x/v1#a", "fragment"),
        ("https://" + "a" * 70 + ".example", "label"),
        ("http://[::1/", "URL"),
    ],
)
def test_what_is_wrong_is_said(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_url(url)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="credential") as caught:
        parse_url("https://user:secret@x/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("https", "x", 443), b"x"),
        (Origin("http", "x", 80), b"x"),
        (Origin("http", "x", 443), b"x:443"),
        (Origin("http", "::1", 80), b"[::1]"),
        (Origin("https", "::1", 8443), b"[::1]:8443"),
    ],
)
def test_the_host_header_names_a_port_only_where_it_must(origin: Origin, host: bytes) -> None:
    assert opening(origin) == b" HTTP/1.1\r\nhost: " + host


def test_an_origin_reads_as_a_url() -> None:
    assert str(Origin("http", "::1", 80)) == "http://[::1]:80"
