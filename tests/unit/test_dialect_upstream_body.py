"""What is sent upstream: the caller's bytes, changed only where they must be."""

import orjson
import pytest

from sluice_sidecar.ask import Problem
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.registry import BY_PATH

CHAT, EMBEDDINGS, MESSAGES = (BY_PATH[p] for p in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages"))
TURN = '"messages":[{"role":"user","content":"é \\u00e9 \\/ \\n"}]'


def sent(
    raw: str, dialect: Dialect = CHAT, *, model: str | None = None, stream: bool = False, logprobs: bool = False
) -> bytes:
    data = raw.encode()
    ask = dialect.parse(data, orjson.loads(data))
    return dialect.upstream(ask, model=model, stream=stream, logprobs=logprobs)


@pytest.mark.parametrize("dialect", [CHAT, MESSAGES, EMBEDDINGS])
@pytest.mark.parametrize("model", [None, "m"])
def test_the_very_bytes_when_nothing_differs(dialect: Dialect, model: str | None) -> None:
    raw = (
        '{ "model" : "m","seed":123456789012345678901234567890,"x":0.10, "input":"a", '
        f'"x":1e2,\n{TURN}, "stream_options":{{}}}}'
    ).encode()
    ask = dialect.parse(raw, orjson.loads(raw))
    assert dialect.upstream(ask, model=model, stream=False, logprobs=False) is raw


def test_a_model_name_is_replaced_and_no_other_byte() -> None:
    raw = f'{{"seed":123456789012345678901234567890, {TURN},\t"model" : "m", "top_p":0.10}}'
    assert sent(raw, model="large") == raw.replace('"m"', '"large"').encode()
    assert sent(raw, MESSAGES, model="large") == raw.replace('"m"', '"large"').encode()


def test_an_embedding_request_gets_the_model_alone() -> None:
    assert sent('{"input":[1,2],"model":"m"}', EMBEDDINGS, model="e", stream=True, logprobs=True) == (
        b'{"input":[1,2],"model":"e"}'
    )


def test_a_stream_asks_for_usage_in_front_of_what_the_caller_wrote() -> None:
    raw = f'{{ "model":"m","stream":true,{TURN}}}'
    expected = raw.replace("{ ", '{"stream_options":{"include_usage":true}, ', 1)
    assert sent(raw, stream=True) == expected.encode()


def test_a_stream_that_already_asks_for_usage_is_not_touched() -> None:
    raw = f'{{"model":"m","stream":true,"stream_options":{{"include_usage":true}},{TURN}}}'
    assert sent(raw, stream=True) == raw.encode()


def test_other_stream_options_are_kept() -> None:
    raw = f'{{"model":"m","stream":true,"stream_options":{{"include_obfuscation":false}},{TURN}}}'
    options = orjson.loads(sent(raw, stream=True))["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.parametrize("stream", ["", '"stream":false,', '"stream" : null,'])
def test_upstream_may_stream_where_the_caller_does_not(stream: str) -> None:
    body = orjson.loads(sent(f'{{"model":"m",{stream}{TURN}}}', stream=True))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert orjson.loads(sent(f'{{"model":"m",{stream}{TURN}}}', MESSAGES, stream=True))["stream"] is True


def test_upstream_may_not_stream_where_the_caller_does() -> None:
    raw = f'{{"model":"m","stream":true,"stream_options":{{"include_usage":true}},{TURN}}}'
    body = orjson.loads(sent(raw, stream=False))
    assert body["stream"] is False
    assert "stream_options" not in body


@pytest.mark.parametrize("given", ["", '"logprobs":false,', '"logprobs":null,'])
def test_logprobs_are_asked_for(given: str) -> None:
    assert orjson.loads(sent(f'{{"model":"m",{given}{TURN}}}', logprobs=True))["logprobs"] is True


def test_logprobs_that_the_caller_asked_for_are_not_asked_for_twice() -> None:
    raw = f'{{"model":"m","logprobs":true,"top_logprobs":3,{TURN}}}'
    assert sent(raw, logprobs=True) == raw.encode()


def test_messages_have_no_logprobs() -> None:
    raw = f'{{"model":"m",{TURN}}}'
    assert sent(raw, MESSAGES, logprobs=True) == raw.encode()


@pytest.mark.parametrize(
    "raw",
    [
        f'{{"model":"m",{TURN},"tools":[{{"model":"inner"}}]}}',
        f'{{"metadata":{{"model":"m"}},{TURN},"model":"m"}}',
        f'{{"\\u006dodel":"m",{TURN},"x":{{"model":"m"}}}}',
        f'{{"mod\\u0065l":"m",{TURN}}}',
        f'{{"model":"\\u006d",{TURN}}}',
        f'{{"model":"first","model":"m",{TURN}}}',
        f'{{"user":"model",{TURN},"model":"m"}}',
        f'{{"user":"\\"model\\":\\"m\\"",{TURN},"model":"m"}}',
    ],
)
def test_the_top_level_model_changes_wherever_else_the_word_stands(raw: str) -> None:
    assert orjson.loads(sent(raw, model="large")) == {**orjson.loads(raw), "model": "large"}


def test_of_a_repeated_key_only_the_last_is_kept_when_it_changes() -> None:
    raw = f'{{"stream":true,"stream":false,{TURN},"model":"m"}}'
    assert sent(raw) == raw.encode(), "nothing changes, so the caller's bytes go through"
    twice = f'{{"model":"first","model":"m",{TURN}}}'
    assert sent(twice, model="large").count(b'"model"') == 1
    assert b"first" not in sent(twice, model="large")


def test_integers_beyond_64_bits_survive_where_the_body_is_written_anew() -> None:
    raw = f'{{"seed":123456789012345678901234567890,"x":{{"model":1}},"model":"m",{TURN}}}'
    assert b'"seed":123456789012345678901234567890' in sent(raw, model="large")


def test_a_body_too_deep_to_be_written_anew_is_refused() -> None:
    deep = "[" * 900 + "]" * 900
    raw = f'{{"model":"m","x":{deep},"y":{{"model":1}},{TURN}}}'
    with pytest.raises(Problem, match="nested too deeply") as caught:
        sent(raw, model="large")
    assert caught.value.status == 400


def test_a_deep_body_whose_model_has_one_place_is_forwarded() -> None:
    deep = "[" * 900 + "]" * 900
    raw = f'{{"model":"m","x":{deep},{TURN}}}'
    assert sent(raw, model="large") == raw.replace('"m"', '"large"').encode()


def test_several_changes_at_once() -> None:
    raw = f'{{"stream":false,{TURN},"model":"m","logprobs":false}}'
    found = sent(raw, model='q"x', stream=True, logprobs=True)
    expected = raw.replace("{", '{"stream_options":{"include_usage":true},', 1).replace('"m"', '"q\\"x"')
    assert found == expected.replace("false", "true").encode()


def test_a_new_model_name_that_is_a_field_name() -> None:
    raw = f'{{"model":"m","stream":false,{TURN}}}'
    body = orjson.loads(sent(raw, model="stream", stream=True))
    assert (body["model"], body["stream"]) == ("stream", True)
