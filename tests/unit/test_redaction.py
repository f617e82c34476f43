"""What says who somebody is does not pass, however it is written; what is no such thing stays."""

import time

import pytest

from sluice_sidecar.audit.redaction import Redaction, redacted

ALL = ("Email", "Phone", "Card", "Iban", "Address", "Name")

CANARIES = [
    ("Email", "write to ada.lovelace+x@example.co.uk", "lovelace"),
    ("Email", "ada (at) example dot com", "ada"),
    ("Email", "ada\u200b@exam\u00adple.org please", "ada"),
    ("Email", "ａｄａ＠example.org", "ada"),
    ("Phone", "+44 20 7946 0958", "7946"),
    ("Phone", "(212) 555-0123", "555"),
    ("Phone", "Tel. 0151/23456789", "2345"),
    ("Phone", "my number is 555 0123 99", "0123"),
    ("Card", "4111 1111 1111 1111", "4111"),
    ("Card", "pay with 5500-0000-0000-0004.", "5500"),
    ("Card", "４１１１１１１１１１１１１１１１", "1111"),
    ("Iban", "DE89 3704 0044 0532 0130 00 is mine", "3704"),
    ("Iban", "gb82west12345698765432", "1234"),
    ("Address", "I live at 12 Elm Street, Apt 4", "Elm"),
    ("Address", "Unter den Linden, Hauptstraße 5, 10115 Berlin", "Hauptstra"),
    ("Address", "rue de Rivoli 12", "Rivoli"),
    ("Address", "P.O. Box 77", "77"),
    ("Name", "Dear Ada Lovelace,", "Lovelace"),
    ("Name", "my name is Jörg van der Berg", "Berg"),
    ("Name", "Mr. O'Neill called", "Neill"),
    ("Name", "Regards,\nAda Lovelace", "Lovelace"),
    ("Name", '{"name": "Ada Lovelace"}', "Lovelace"),
]

CREDENTIALS = [
    "sk-proj-abcdefghijklmnop1234",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "password: hunter22",
    'api_key="abcd1234"',
    "Authorization: Bearer abc.def.ghi",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize(("kind", "text", "canary"), CANARIES)
def test_a_canary_does_not_pass(kind: str, text: str, canary: str) -> None:
    assert canary not in redacted(text, [kind])
    assert f"[{kind.upper()} 1]" in redacted(text, ALL)


@pytest.mark.parametrize("text", CREDENTIALS)
def test_credentials_go_whatever_was_asked_for(text: str) -> None:
    assert "[SECRET 1]" in redacted(text, [])
    assert text.split()[-1].strip('"') not in redacted(text, [])


@pytest.mark.parametrize(
    "text",
    [
        "Order HP123456789 of 2025-03-04 over 1,234.50 EUR, 14:30 to 15:45.",
        "The model has 4096 tokens and 12 layers; see section 3.2.1.",
        "Sort the list [3, 14, 15, 92, 65, 35] and return its median.",
        "Card 4111 1111 1111 1112 has a wrong check digit.",
        "Can I return boots that I have worn twice?",
        "def main(argv): return argv[1:]",
    ],
)
def test_what_is_nobody_stays(text: str) -> None:
    assert redacted(text, ALL) == text


def test_the_same_is_named_the_same_in_one_request() -> None:
    redaction = Redaction(ALL)
    assert redaction.text("ada@example.org or bob@example.org") == "[EMAIL 1] or [EMAIL 2]"
    assert redaction.value([{"text": "BOB@example.org", "n": 1}]) == [{"text": "[EMAIL 2]", "n": 1}]


@pytest.mark.parametrize(
    "text",
    ["a" * 60_000, "1 " * 30_000, "a@" * 30_000, "1-" * 30_000, "rue " * 15_000, "Dear " * 12_000, "A " * 30_000,
     "password " * 6_000, "-----BEGIN PRIVATE KEY-----" * 2_000, "1 a " * 15_000],
)  # fmt: skip
def test_a_hostile_text_ends(text: str) -> None:
    """Not a benchmark: a pattern that backtracks without end takes hours."""
    before = time.process_time()
    assert len(redacted(text, ALL)) <= 33_000
    assert time.process_time() - before < 60.0
