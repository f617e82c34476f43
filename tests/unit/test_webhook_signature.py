"""Signatures are those of the Standard Webhooks specification, with every key that is in use."""

import base64

import pytest

from sluice_sidecar.batch.webhooks import Key, event_id, headers, parse_keys, payload, signature

# The vector in the tests of the reference implementations (test_sign_function in libraries/python).
VECTOR = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_the_published_vector_is_met() -> None:
    (key,) = parse_keys(VECTOR)
    assert signature(key, EVENT, AT, BODY) == EXPECTED


@pytest.mark.parametrize("between", [" ", "\n", ",", ", ", "\n\n"])
def test_while_keys_are_rotated_all_of_them_sign(between: str) -> None:
    keys = parse_keys(f"{OTHER}{between}{VECTOR}\n")
    found = dict(headers(keys, EVENT, AT, BODY))
    assert found[b"webhook-signature"].decode().split(" ") == [signature(keys[0], EVENT, AT, BODY), EXPECTED]
    assert (found[b"webhook-id"], found[b"webhook-timestamp"]) == (EVENT.encode(), b"1614265330")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no signing key"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "signing key 1 does not start with whsec_"),
        (f"{VECTOR} whsec_%%%", "signing key 2 is not base64"),
        ("whsec_c2hvcnQ=", "signing key 1 has 5 bytes"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "signing key 1 has 65 bytes"),
        (" ".join([VECTOR] * 9), "there are 9 signing keys"),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_shown(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        parse_keys(text)
    for secret in ("c2hvcnQ", "MfKQ", "%%%"):
        assert secret not in str(refused.value)


def test_a_key_shows_nothing_of_itself() -> None:
    assert repr(parse_keys(VECTOR)[0]) == "Key()"
    assert Key(b"a") != Key(b"b")


def test_an_event_keeps_its_id_and_has_no_full_stop_in_it() -> None:
    identifier = event_id("batch.completed", "batch_1", "https://a.example.com/x")
    assert identifier == event_id("batch.completed", "batch_1", "https://a.example.com/x")
    others = {
        event_id("batch.failed", "batch_1", "https://a.example.com/x"),
        event_id("batch.completed", "batch_2", "https://a.example.com/x"),
        event_id("batch.completed", "batch_1", "https://a.example.com/y"),
    }
    assert len(others | {identifier}) == 4
    assert "." not in identifier


def test_the_body_is_openai_s_event() -> None:
    from openai.types.webhooks import BatchCompletedWebhookEvent

    event = BatchCompletedWebhookEvent.model_validate_json(
        payload("batch.completed", "evt_1", "batch_1", 1_700_000_000.9)
    )
    assert (event.id, event.data.id, event.created_at, event.object) == ("evt_1", "batch_1", 1_700_000_000, "event")
