"""The upstream reads the model name that was let in, however the caller wrote it."""

import orjson
import pytest

from sluice_sidecar.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sluice_sidecar.dialects.dialect import Dialect
from sluice_sidecar.dialects.openai_chat import OPENAI_CHAT
from sluice_sidecar.dialects.openai_embeddings import OPENAI_EMBEDDINGS

REST = b'"input":"x","max_tokens":5,"messages":[{"role":"user","content":"x"}]'


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_EMBEDDINGS, ANTHROPIC_MESSAGES])
@pytest.mark.parametrize(
    "names",
    [
        b'"model":"forbidden","model":"mine",',
        rb'"model":"forbidden","mod\u0065l":"mine",',
        rb'"mod\u0065l":"forbidden","model":"mine",',
        rb'"\u006dodel":"mine",',
    ],
)
def test_of_several_names_the_one_that_counted_is_sent(dialect: Dialect, names: bytes) -> None:
    raw = b"{" + names + REST + b"}"
    ask = dialect.parse(raw, orjson.loads(raw))
    sent = dialect.upstream(ask, model=None, stream=False, logprobs=False)
    assert ask.model == "mine"
    assert b"forbidden" not in sent
    assert orjson.loads(sent) == orjson.loads(raw)


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_EMBEDDINGS, ANTHROPIC_MESSAGES])
def test_one_plain_name_leaves_every_byte(dialect: Dialect) -> None:
    raw = rb'{ "model" : "mine", "caf\u00e9": 1.50,' + REST + b"}"
    ask = dialect.parse(raw, orjson.loads(raw))
    assert dialect.upstream(ask, model=None, stream=False, logprobs=False) is raw
