"""What callers get wrong, or do on purpose: a clear error each, in the dialect's shape, and the gateway serves on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving

GOOD: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello?"}]}
JSON = {"content-type": "application/json", "authorization": "Bearer good"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(do.text("Hello."))
        kept = config(route([backend(up.url)]), keys_secret="keys", body_bytes=1_000_000)
        async with serving(kept, environ={"SLUICE_SECRET_KEYS_ACME": "good"}) as one:
            yield one
            async with httpx.AsyncClient(timeout=PATIENCE) as client:  # whatever came before, a good ask is answered
                after = await client.post(one.base_url + "/chat/completions", json=GOOD, headers=JSON)
            assert after.status_code == 200


def body(**fields: Any) -> dict[str, Any]:
    return {**GOOD, **fields}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        pytest.param(b'{"model": "auto", "messages": [', 400, "not JSON", id="malformed"),
        pytest.param(b"", 400, "not JSON", id="empty"),
        pytest.param(b"[1, 2]", 400, "object", id="an array"),
        pytest.param(b"null", 400, "object", id="null"),
        pytest.param(b'{"model": "a\xff"}', 400, "not JSON", id="invalid UTF-8"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "not JSON", id="deep nesting"),
        pytest.param(b'{"model": NaN}', 400, "not JSON", id="NaN"),
        pytest.param(b'{"messages": []}', 400, "model", id="no model"),
        pytest.param(b'{"model": 7, "messages": []}', 400, "model", id="model is a number"),
        pytest.param(b'{"model": "auto", "messages": []}', 400, "messages", id="no message"),
        pytest.param(b'{"model": "auto", "messages": "hi"}', 400, "messages", id="messages is a string"),
        pytest.param(b'{"model": "auto", "messages": [7]}', 400, "messages", id="a message is a number"),
    ],
)
async def test_bodies(served: Served, path: str, content: bytes, status: int, says: str) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(served.url + path, content=content, headers=JSON)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_tokens", -1), ("max_completion_tokens", -5), ("max_tokens", "many"), ("n", 0), ("stream", "yes")],
)
async def test_fields(served: Served, field: str, value: Any) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(served.base_url + "/chat/completions", json=body(**{field: value}), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field


async def test_content_type(served: Served) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(
            served.base_url + "/chat/completions",
            content=b"model=auto",
            headers={**JSON, "content-type": "application/x-www-form-urlencoded"},
        )
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_of_100_mb(served: Served, announced: bool) -> None:
    """Refused at its head when it says its length, else as soon as it is over the limit."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    length = b"content-length: 104857600" if announced else b"transfer-encoding: chunked"
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n"
        b"content-type: application/json\r\n" + length + b"\r\n\r\n"
    )
    block = b"x" * 65_536
    sent = 0
    try:
        while sent < 104_857_600 and not reader.at_eof():
            writer.write(block if announced else b"%x\r\n%b\r\n" % (len(block), block))
            await asyncio.wait_for(writer.drain(), 30)
            sent += len(block)
    except (ConnectionError, TimeoutError):
        pass  # it stopped listening, as it should
    try:
        answer = await asyncio.wait_for(reader.read(65_536), 30)
    except ConnectionError:
        answer = b"HTTP/1.1 413"  # the reset overtook the answer; that it was cut off is what counts
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < 50_000_000
    writer.close()


async def test_an_announced_body_of_100_mb_is_refused_before_it_is_sent(served: Served) -> None:
    host, _, port = served.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n"
        b"content-type: application/json\r\ncontent-length: 104857600\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(65_536), 30)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"1000000 bytes" in answer
    writer.close()


async def test_keys(served: Served) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        none = await client.post(served.base_url + "/chat/completions", json=GOOD)
        wrong = await client.post(served.base_url + "/chat/completions", json=GOOD, headers={"api-key": "bad"})
        forged = await client.post(
            served.base_url + "/chat/completions", json=GOOD, headers={"x-sluice-tenant": "acme", "x-api-key": "bad"}
        )
        listing = await client.get(served.base_url + "/models")
    assert [one.status_code for one in (none, wrong, forged, listing)] == [401] * 4
    assert none.json()["error"]["code"] == "missing_api_key"
    assert wrong.json()["error"]["code"] == "invalid_api_key"
    assert "bad" not in wrong.text


async def test_a_key_s_own_models(served: Served) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(served.base_url + "/chat/completions", json=body(model="secret"), headers=JSON)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("POST", "/v1/chat/completion", 404, "/v1/chat/completions"),
        ("POST", "/chat/completions", 404, "/v1/chat/completions"),
        ("POST", "/v2/anything", 404, "/v1/models"),
        ("GET", "/v1/chat/completions", 405, "POST"),
        ("DELETE", "/v1/models", 405, "GET"),
        ("GET", "/v1/models/none", 404, "auto"),
    ],
)
async def test_paths(served: Served, method: str, path: str, status: int, says: str) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.request(method, served.url + path, headers=JSON)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


async def test_garbage_instead_of_http(served: Served) -> None:
    host, _, port = served.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 400")
    writer.close()
