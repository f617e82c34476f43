"""Where a webhook may go is decided by its whole address, not by a part of it that looks right."""

import pytest

from sluice_sidecar.batch.destinations import Allowed, NotAllowed

ALLOWED = Allowed(
    ("https://hooks.example.com/in", "https://*.example.org", "https://ports.example.net:8443"), loopback=False
)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com/in", b"/in"),
        ("https://hooks.example.com/in/a/", b"/in/a/"),
        ("https://HOOKS.example.com:443/in?token=a%20b&c=1", b"/in?token=a%20b&c=1"),
        ("https://hooks.example.com./in", b"/in"),
        ("https://a.example.org", b"/"),
        ("https://a.b.example.org/x", b"/x"),
        ("https://ports.example.net:8443/x", b"/x"),
    ],
)
def test_an_address_of_the_list_is_taken_as_it_is(url: str, target: bytes) -> None:
    assert ALLOWED.destination(url).target == target


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example.com/in", "plain http; write https://"),
        ("https://hooks.example.com/other", "does not allow this address"),
        ("https://hooks.example.com/inside", "does not allow"),
        ("https://hooks.example.com/in/../other", "as a step"),
        ("https://hooks.example.com/in/%2e%2e/other", "as a step"),
        ("https://hooks.example.com/in/..%2fother", "as a step"),
        ("https://hooks.example.com\\@evil.example.net/in", "backslash"),
        ("https://hooks.example.com@evil.example.net/in", "a user or password"),
        ("https://hooks.example.com:444/in", "does not allow"),
        ("https://example.org/", "does not allow"),
        ("https://aexample.org/", "does not allow"),
        ("https://a.example.org.evil.net/", "does not allow"),
        ("https://ports.example.net/x", "does not allow"),
        ("https://hooks.example.com/in#x", "no fragment"),
        ("https://hooks.example.com/in#", "no fragment"),
        ("https://hooks.example.com/in\r\nx: y", "visible ASCII"),
        ("https://hooks.exämple.com/in", "visible ASCII"),
        ("ftp://hooks.example.com/in", "scheme"),
        ("https:///in", "host"),
        ("https://hooks.example.com:x/in", "Port"),
        ("", "scheme"),
        ("https://127.0.0.1/", "does not allow"),
        ("http://127.0.0.1:80/", "plain http"),
        ("https://hooks.example.com/in" + "x" * 2_048, "characters"),
    ],
)
def test_any_other_is_refused_with_the_reason(url: str, says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        ALLOWED.destination(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/x", "http://localhost:8000/x", "http://[::1]:8000/x"])
def test_on_one_machine_its_own_addresses_are_good_and_marked(url: str) -> None:
    assert Allowed((), loopback=True).destination(url).near
    with pytest.raises(NotAllowed):
        Allowed((), loopback=False).destination(url)


@pytest.mark.parametrize("url", ["http://10.0.0.1/x", "http://localhost.example.com/x", "http://169.254.169.254/"])
def test_loopback_is_leave_for_nothing_else(url: str) -> None:
    with pytest.raises(NotAllowed, match="plain http"):
        Allowed((), loopback=True).destination(url)


def test_what_is_shown_holds_no_token() -> None:
    with pytest.raises(NotAllowed) as refused:
        ALLOWED.destination("https://elsewhere.example.com/secret-path?token=secret")
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(ALLOWED.destination("https://a.example.org/secret-path?token=secret"))


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an address for webhooks"):
        Allowed(("http://a.example.com",))
