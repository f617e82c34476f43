"""Which headers go to the upstream, and which come back."""

import pytest

from sluice_sidecar.upstream.headers import forwarded, returned

OWN = ((b"content-type", b"application/json"),)


@pytest.mark.parametrize(
    "name",
    [
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"cookie",
        b"proxy-authorization",
        b"host",
        b"content-length",
        b"connection",
        b"keep-alive",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"accept-encoding",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-real-ip",
        b"via",
        b"x-sluice-similarity",
    ],
)
def test_ends_at_the_gateway(name: bytes) -> None:
    assert forwarded({name: b"1"}, OWN) == list(OWN)


def test_everything_else_passes_and_ours_come_last() -> None:
    given = {
        b"user-agent": b"sdk/1",
        b"openai-beta": b"x",
        b"anthropic-version": b"2023-06-01",
        b"traceparent": b"00-1",
        b"cache-control": b"no-store",
    }
    assert forwarded(given, OWN) == [*given.items(), *OWN]


def test_headers_that_connection_names_are_hop_by_hop_too() -> None:
    assert forwarded({b"connection": b"close, X-Private", b"x-private": b"1", b"x-public": b"2"}, ()) == [
        (b"x-public", b"2")
    ]


def test_returned_headers_keep_order_and_repeats() -> None:
    given = [
        (b"x-request-id", b"req_1"),
        (b"set-cookie", b"__cf=1"),
        (b"x-ratelimit-remaining-requests", b"9"),
        (b"transfer-encoding", b"chunked"),
        (b"content-encoding", b"gzip"),
        (b"x-request-id", b"req_2"),
        (b"content-length", b"3"),
        (b"retry-after", b"1"),
    ]
    assert [name for name, _ in returned(given)] == [
        b"x-request-id",
        b"x-ratelimit-remaining-requests",
        b"x-request-id",
        b"retry-after",
    ]
