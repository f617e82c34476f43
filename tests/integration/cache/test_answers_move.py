"""Answers that come from logs or from another gateway are found like those that a live request brought."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Any

import httpx
import orjson
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving
from sluice_sidecar.config import Policy

INTENT = {"x-sluice-admin": "1"}
KEYS = {"SLUICE_SECRET_KEYS_ACME": "acme-key", "SLUICE_SECRET_KEYS_BETA": "beta-key"}


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        scripted.otherwise(do.text("asked anew"))
        yield scripted


@asynccontextmanager
async def gateway(
    up: Scripted, folder: Path | None, *, kept: Policy | None = None, keys: bool = False
) -> AsyncIterator[Served]:
    more = {"keys_secret": "keys"} if keys else {}
    served = config(route([backend(up.url)], policy="keep"), policies=[kept or policy()], **more)
    async with serving(served, data=folder, environ=KEYS) as one:
        yield one


def request(text: str = "What is a sluice?", **more: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


def answer(text: str = "A gate for water.", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}
    usage = {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}


def line(text: str = "What is a sluice?", **more: Any) -> dict[str, Any]:
    return {"request": request(text), "response": answer(), **more}


async def brought(served: Served, *lines: Any, policy: str = "keep") -> Any:
    body = b"\n".join(one if isinstance(one, bytes) else orjson.dumps(one) for one in lines)
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        said = await client.post(f"{served.admin}/-/import?policy={policy}", content=body, headers=INTENT)
    return said.json()


async def asked(served: Served, body: dict[str, Any], key: str = "") -> tuple[str, str]:
    """How the cache took part, and the answer."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        said = await client.post(served.base_url + "/chat/completions", json=body, headers=headers)
    assert said.status_code == 200, said.text
    return said.headers["x-sluice-cache"], said.json()["choices"][0]["message"]["content"]


async def exported(served: Served, policy: str = "keep") -> list[bytes]:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        said = await client.get(f"{served.admin}/-/export?policy={policy}")
    assert said.status_code == 200, said.text
    return said.content.splitlines()


async def test_a_logged_exchange_answers_the_next_equal_request(up: Scripted, tmp_path: Path) -> None:
    async with gateway(up, tmp_path) as served:
        said = await brought(served, line(), line("What is a lock?", path="/v1/chat/completions", backend="log"))
        assert said == {"stored": 2, "known": 0, "expired": 0, "refused": [], "store": "open"}
        assert await asked(served, request()) == ("identical", "A gate for water.")
        assert await asked(served, request("What is a lock?", user="u1")) == ("identical", "A gate for water.")
        assert (await asked(served, request(temperature=0.5)))[0] == "miss", "another request"
    async with gateway(up, tmp_path) as again:
        assert (await asked(again, request()))[0] == "identical", "it lay in the store"


async def test_what_is_known_is_not_replaced_by_what_is_older(up: Scripted, tmp_path: Path) -> None:
    async with gateway(up, tmp_path) as served:
        await asked(served, request())
        assert (await brought(served, line(created=time() - 60)))["known"] == 1
        assert await asked(served, request()) == ("identical", "asked anew")


async def test_life_counts_from_when_the_answer_was_given(up: Scripted, tmp_path: Path) -> None:
    async with gateway(up, tmp_path) as served:
        old = line(created=time() - 3700)
        told = {**line("two"), "response": {**answer(), "created": int(time() - 3700)}}
        said = await brought(served, old, told, line("three", created=time() - 3000))
        assert (said["expired"], said["stored"]) == (2, 1)
        (kept,) = map(orjson.loads, await exported(served))
        assert kept["expires"] - time() < 700


@pytest.mark.parametrize(
    ("wrong", "field", "cure"),
    [
        (b"{", "", "not JSON"),
        (b"[]", "", '"request"'),
        ({"response": {}}, "request", "missing"),
        ({"request": 1, "response": {}}, "request", "object"),
        ({"request": {"model": "auto"}, "response": {}}, "request.messages", "messages"),
        ({**line(), "request": {**request(), "model": "atuo"}}, "request.model", "Did you mean auto"),
        ({**line(), "path": "/v1/completions"}, "path", "/v1/chat/completions"),
        ({**line(), "request": request(n=2)}, "request", "n>1"),
        ({**line(), "response": {"error": {"message": "overloaded"}}}, "response", "overloaded"),
        ({**line(), "response": answer(finish_reason="length")}, "response", "truncated"),
        ({**line(), "response": answer("x" * 3000)}, "response", "answerBytes"),
        (line(created="yesterday"), "created", "seconds"),
        (line(created=True), "created", "seconds"),
        (line(took=-1), "took", "negative"),
        (line(tenant="acme"), "tenant", "leave it out"),
        (line(tenant=7), "tenant", "text"),
        (line(headers={"a": 1}), "headers", "texts"),
        ({"key": "zz", "scope": "zz"}, "key", "32 hex"),
        ({"key": "0" * 32, "scope": "0" * 32, "answer": {}, "policy": "other"}, "policy", "never share"),
        ({"key": "0" * 32, "scope": "0" * 32, "answer": {"choices": []}}, "answer", "complete"),
        ({"key": "0" * 32, "scope": "0" * 32, "answer": {}, "text": 3}, "text", "null"),
    ],
)
async def test_a_wrong_line_is_told_with_field_and_cure_and_the_others_go_on(
    up: Scripted, wrong: Any, field: str, cure: str
) -> None:
    async with gateway(up, None, kept=policy(limits={"answer_bytes": 2000})) as served:
        said = await brought(served, line("before"), b"", wrong, line("after"))
    assert said["stored"] == 2
    (found,) = said["refused"]
    assert (found["line"], found["field"]) == (3, field)
    assert cure in found["message"]


async def test_whose_an_answer_is_must_be_said_where_there_are_several(up: Scripted, tmp_path: Path) -> None:
    async with gateway(up, tmp_path, keys=True) as served:
        said = await brought(served, line(), line(tenant="gamma"), line(tenant="acme"))
        assert [one["field"] for one in said["refused"]] == ["tenant", "tenant"]
        assert (await asked(served, request(), "beta-key"))[0] == "miss", "tenants never share"
        assert await asked(served, request(), "acme-key") == ("identical", "A gate for water.")


async def test_an_export_moves_to_another_gateway_of_the_same_config(up: Scripted, tmp_path: Path) -> None:
    async with gateway(up, tmp_path / "one") as one, gateway(up, tmp_path / "two") as two:
        await brought(one, *(line(f"question {number}") for number in range(230)))
        lines = await exported(one)
        assert len(lines) == 230, "more than a page"
        assert (await brought(two, *lines))["stored"] == 230
        assert (await brought(two, *lines))["known"] == 230
        up.answer(do.text("never"))
        assert await asked(two, request("question 7")) == ("identical", "A gate for water.")
        moved = {orjson.loads(line)["key"]: orjson.loads(line) for line in await exported(two)}
        for old in map(orjson.loads, lines):
            assert moved[old["key"]]["created"] == pytest.approx(old["created"], abs=0.001)
            assert moved[old["key"]]["expires"] <= old["expires"] + 0.001, "a move lengthens no life"


async def test_where_nothing_can_be_listed_or_stored_it_is_said(up: Scripted) -> None:
    async with gateway(up, None) as served, httpx.AsyncClient(timeout=PATIENCE) as client:
        gone = await client.get(served.admin + "/-/export?policy=keep")
        assert gone.status_code == 503
        assert "--data" in gone.json()["error"]["message"]
        assert (await brought(served, line()))["store"] == "none"
        unknown = await brought(served, line(), policy="kept")
        assert (unknown["error"]["code"], "keep" in unknown["error"]["message"]) == ("policy_not_found", True)
        many = await brought(served, *[line()] * 1001)
        assert many["error"]["code"] == "too_many_lines"
        foreign = await client.post(served.admin + "/-/import?policy=keep", content=b"{}")
        assert foreign.status_code == 403, "a page of another site could send this"
