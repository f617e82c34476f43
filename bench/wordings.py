"""Pairs of asks that want the same answer, for timing paraphrase hits: what was stored, what is asked."""

_THINGS = (
    "password", "delivery address", "phone number", "e-mail address", "payment card", "username", "profile picture",
    "invoice address", "newsletter settings", "security question", "language setting", "birthday",
)  # fmt: skip
_PLACES = (
    "in the web shop", "on the website", "in the mobile app", "in the customer portal", "on the account page",
    "in the partner portal", "on the tablet", "in the desktop app", "in the reseller portal", "on the kiosk",
)  # fmt: skip

WORDINGS = [
    (f"How do I change my {thing} {place}?", f"How can I change my {thing} {place}?")
    for thing in _THINGS
    for place in _PLACES
]
