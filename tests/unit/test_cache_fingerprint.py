"""Which asks share an answer, and which do not."""

from typing import Any

import pytest

from doubles.cached import ACME, ask, policy, printed, route
from sluice_sidecar.ask import Ask, Caller
from sluice_sidecar.cache.fingerprint import fingerprint
from sluice_sidecar.config import Backend, Mirror, Price, Resilience, Single
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT


def test_digests_have_128_bits_in_hex() -> None:
    fp = printed()
    assert len(bytes.fromhex(fp.scope)) == len(bytes.fromhex(fp.key)) == 16
    assert fp.scope != fp.key
    assert fp.text == "What is six times seven?"


def test_equal_asks_are_equal() -> None:
    assert printed() == printed()


def test_another_text_has_another_key_in_the_same_scope() -> None:
    one, other = printed("one ask"), printed("another ask")
    assert one.scope == other.scope
    assert one.key != other.key


@pytest.mark.parametrize("fields", [{"stream": True}, {"user": "anna"}, {"stream": True, "stream_options": {}}])
def test_transport_fields_do_not_count(fields: dict[str, Any]) -> None:
    assert printed(**fields) == printed()


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": None},
        {"seed": 1},
        {"max_tokens": 5},
        {"model": "other"},
        {"tools": []},
        {"response_format": {"type": "json_object"}},
        {"field_of_next_year": False},
        {"logprobs": True},
    ],
)
def test_every_other_field_makes_another_scope(fields: dict[str, Any]) -> None:
    assert printed(**fields).scope != printed().scope


def test_an_integer_is_not_a_boolean_or_a_float() -> None:
    assert len({printed(x=value).scope for value in (1, True, 1.0, "1")}) == 4


def test_the_order_of_fields_does_not_count() -> None:
    assert printed(seed=1, top_p=0.5) == printed(top_p=0.5, seed=1)


def test_earlier_messages_count() -> None:
    def after(first: str) -> Ask:
        body: dict[str, Any] = {
            "model": "auto",
            "messages": [{"role": "system", "content": first}, {"role": "user", "content": "Hi there, friend"}],
        }
        return OPENAI_CHAT.parse(b"", body)

    one, other = (fingerprint(after(text), route(), policy(), ACME) for text in ("Be kind.", "Be brief."))
    assert one.scope != other.scope


def test_tenants_never_share() -> None:
    assert printed(caller=Caller("acme")).scope != printed(caller=Caller("acme2")).scope


def test_a_partition_header_separates_and_its_absence_too() -> None:
    split = policy(partition_headers=("X-Department",))
    others: tuple[dict[bytes, bytes], ...] = ({b"x-department": b"law"}, {}, {b"x-department": b""})
    scopes = {printed(caller=caller, kept=split).scope for caller in (ACME, *(Caller("acme", h) for h in others))}
    assert len(scopes) == 4


def test_a_policy_without_partition_shares_between_tenants() -> None:
    shared = policy(partition="None")
    assert printed(caller=Caller("a"), kept=shared) == printed(caller=Caller("b"), kept=shared)


def test_policies_are_apart() -> None:
    assert printed(kept=policy(name="a")).scope != printed(kept=policy(name="b")).scope


def test_a_longer_life_keeps_the_cache() -> None:
    assert printed(kept=policy(ttl=1.0)) == printed(kept=policy(ttl=2.0))


def test_ignored_text_does_not_count() -> None:
    timed = policy(ignore=(r"Current time: \S+",))
    one, other = (printed(f"Current time: {at} What is due?", kept=timed) for at in ("10:00", "11:30"))
    assert one == other
    assert one.text == "What is due?"


def test_ignored_text_does_not_count_in_earlier_messages() -> None:
    timed = policy(ignore=(r"Current time: \S+",))

    def at(time: str) -> Ask:
        system = {"role": "system", "content": f"Be kind. Current time: {time}"}
        body: dict[str, Any] = {"model": "auto", "messages": [system, {"role": "user", "content": "What is due?"}]}
        return OPENAI_CHAT.parse(b"", body)

    assert fingerprint(at("10:00"), route(), timed, ACME) == fingerprint(at("11:30"), route(), timed, ACME)


def test_a_change_of_what_is_ignored_makes_another_scope() -> None:
    assert printed(kept=policy(ignore=("x",))).scope != printed(kept=policy(ignore=("y",))).scope


@pytest.mark.parametrize(
    "changes",
    [
        {"backends": {"large": Backend(name="large", url="http://127.0.0.1:9/v1", model="bigger")}},
        {"backends": {"large": Backend(name="large", url="http://127.0.0.1:8/v1", model="big")}},
        {"fallbacks": ("large",)},
        {"strategy": Single(backend="other")},
    ],
)
def test_who_answers_counts(changes: dict[str, Any]) -> None:
    one = fingerprint(ask(), route(), policy(), ACME)
    assert fingerprint(ask(), route(**changes), policy(), ACME).scope != one.scope


@pytest.mark.parametrize(
    "changes",
    [
        {"resilience": Resilience(total=1.0)},
        {"mirror": Mirror(backend="large", percent=5)},
        {"name": "renamed"},
        {"backends": {"large": Backend(name="large", url="http://127.0.0.1:9/v1", model="big", price=Price(input=1))}},
    ],
)
def test_how_it_is_reached_does_not_count(changes: dict[str, Any]) -> None:
    one = fingerprint(ask(), route(), policy(), ACME)
    assert fingerprint(ask(), route(**changes), policy(), ACME) == one


def test_sealed_parts_give_the_same_fingerprint() -> None:
    plain = fingerprint(ask(), route(), policy(), ACME)
    sealed = [fingerprint(ask(), route(digest="sha256:r"), policy(digest="sha256:p"), ACME) for _ in range(2)]
    assert sealed == [plain, plain]


def test_without_a_user_text_only_the_identical_ask_is_equal() -> None:
    def last(content: str) -> Ask:
        body: dict[str, Any] = {"model": "auto", "messages": [{"role": "assistant", "content": content}]}
        return OPENAI_CHAT.parse(b"", body)

    one, other = (fingerprint(last(text), route(), policy(), ACME) for text in ("a", "b"))
    assert one.text is None
    assert one.key == one.scope
    assert one.scope != other.scope
