"""Other sites' pages get nothing from the admin port."""

import pytest

from sluice_sidecar.admin.guard import check_host, check_intent
from sluice_sidecar.ask import Problem


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8081",
        "LOCALHOST",
        "sluice.localhost:1",
        "127.0.0.1:8081",
        "10.2.3.4",
        "[::1]:8081",
        "[fe80::1%25eth0]",
        "gateway.team",
    ],
)
def test_addresses_localhost_and_configured_names_are_answered(host: str) -> None:
    check_host(host.encode(), {"gateway.team"})


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "1.2.3", "gateway"]
)
def test_other_names_are_not(host: str) -> None:
    with pytest.raises(Problem) as problem:
        check_host(host.encode(), {"gateway.team"})
    assert (problem.value.status, problem.value.code) == (403, "unknown_host")


def test_a_client_without_a_host_is_no_browser() -> None:
    check_host(None, ())


def test_a_plain_form_of_another_site_changes_nothing() -> None:
    with pytest.raises(Problem, match="content-type"):
        check_intent({b"host": b"127.0.0.1:8081", b"content-type": b"text/plain"})


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://127.0.0.1:9999"])
def test_another_origin_changes_nothing(origin: bytes) -> None:
    with pytest.raises(Problem, match="another site"):
        check_intent({b"host": b"127.0.0.1:8081", b"x-sluice-admin": b"1", b"origin": origin})


def test_the_page_itself_and_curl_may() -> None:
    check_intent({b"host": b"127.0.0.1:8081", b"x-sluice-admin": b"1", b"origin": b"http://127.0.0.1:8081"})
    check_intent({b"host": b"127.0.0.1:8081", b"content-type": b"application/json; charset=utf-8"})
