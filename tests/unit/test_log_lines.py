"""Log lines are JSON, whole, and hold no secret and no prompt."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from doubles.bookkeeping import decision, hit, route
from sluice_sidecar.ledger.decision import Decision
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.log import HIDDEN, AccessLog, JsonFormatter, TextFormatter, hidden, setup


def line(message: str, *args: object, exc_info: Any = None, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("sluice.test").makeRecord(
        "sluice.test", logging.WARNING, "f", 1, message, args, exc_info, extra=extra
    )
    found: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return found


def test_an_event_is_one_json_object() -> None:
    said = line("reload of %s\nrefused", "support", route="support", count=3, why=ValueError("no such backend"))
    assert said["time"].endswith("Z")
    del said["time"]
    assert said == {
        "level": "warning",
        "logger": "sluice.test",
        "event": "reload of support\nrefused",
        "route": "support",
        "count": 3,
        "why": "no such backend",
    }


def test_numbers_of_any_size_are_written() -> None:
    assert line("big", size=2**70)["size"] in (str(2**70), 2**70)


@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer abcdef123456",
        "x-api-key: abcdef123456",
        "calling with sk-abcdef123456",
        "https://user:abcdef123456@api.example.com/v1",
        'headers {"api-key": "abcdef123456"}',
        "Basic abcdef123456==",
    ],
)
def test_secrets_in_text_are_hidden(secret: str) -> None:
    assert "abcdef123456" not in hidden(secret)
    assert HIDDEN in hidden(secret)


def test_secrets_in_fields_and_tracebacks_are_hidden() -> None:
    try:
        raise RuntimeError("Bearer abcdef123456")
    except RuntimeError:
        said = line("failed", exc_info=sys.exc_info(), api_key="abcdef123456", nested={"token": "abcdef123456", "n": 1})
    assert "abcdef123456" not in json.dumps(said)
    assert said["nested"] == {"token": HIDDEN, "n": 1}
    assert "RuntimeError" in said["exception"]


def test_ordinary_text_is_left_alone() -> None:
    assert hidden("backend large: Secret openai has no key token") == "backend large: Secret openai has no key token"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


def test_a_terminal_gets_text_and_a_pipe_json(root: logging.Logger) -> None:
    pipe = io.StringIO()
    setup(stream=pipe)
    logging.getLogger("sluice.test").info("up", extra={"port": 8080})
    assert json.loads(pipe.getvalue())["port"] == 8080
    setup(human=True, stream=pipe)
    assert isinstance(root.handlers[0].formatter, TextFormatter)
    logging.getLogger("sluice.test").info("up", extra={"port": 8080})
    assert pipe.getvalue().splitlines()[-1].endswith("info    sluice.test: up  port=8080")


async def written(*ones: Decision, prompts: bool = False, enabled: bool = True, human: bool = False) -> list[str]:
    stream, ledger = io.StringIO(), Ledger()
    access = AccessLog(stream=stream, enabled=enabled, human=human)
    access.log_prompts = prompts
    await access.start()
    for one in ones:
        ledger.record(one, route())
        access.write(one, "my question")
    await access.close()
    return stream.getvalue().splitlines()


async def test_every_request_has_its_line() -> None:
    lines = [json.loads(one) for one in await written(*(hit(id=f"h{i}") for i in range(3000)))]
    assert [one["request"] for one in lines] == [f"h{i}" for i in range(3000)]
    assert lines[0]["tenant"] == "acme"
    assert (lines[0]["cache"], lines[0]["status"], lines[0]["ms"]) == ("identical", 200, 0.4)
    assert (lines[0]["prompt_tokens"], lines[0]["saved"]) == (100, "0.0006")


async def test_prompts_are_logged_only_when_asked_for() -> None:
    assert "my question" not in (await written(hit()))[0]
    assert json.loads((await written(hit(), prompts=True))[0])["prompt"] == "my question"


async def test_the_access_log_can_be_off() -> None:
    assert await written(hit(), enabled=False) == []


async def test_a_person_gets_a_readable_line() -> None:
    failed = decision(status=502, error="connect_failed")
    (line,) = await written(failed, human=True)
    assert "502 support miss large 1000.0 ms" in line
    assert "error='connect_failed'" in line


async def test_a_closed_stderr_does_not_hurt() -> None:
    stream = io.StringIO()
    access = AccessLog(stream=stream, human=False)
    await access.start()
    stream.close()
    access.write(hit())
    await access.close()
