"""A served Config's proxy and further authorities hold for its calls, and change with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from doubles.behaviours import text
from doubles.certificates import Authority, server_side
from doubles.egress_proxy import EgressProxy
from doubles.raw_server import RawServer, always
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.config import Config, Egress

NAME = "models.example.invalid"
"""Resolved by nobody here."""
COMPLETION = orjson.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(COMPLETION),
    COMPLETION,
)
HELLO: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


def reaching(url: str, **egress: Any) -> Config:
    return config(route([backend(url)]), egress=Egress(**egress))


async def ask(served: Served) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{served.base_url}/chat/completions", json=HELLO)


@asynccontextmanager
async def private(folder: Path, authority: Authority) -> AsyncIterator[RawServer]:
    """A model server whose certificate a private authority signed."""
    tls = server_side(folder, authority.sign("localhost", NAME))
    async with RawServer(always(ANSWER), tls=tls, host="localhost") as up:
        yield up


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "ca.crt"


async def test_calls_go_through_the_proxy_of_the_config(tmp_path: Path, bundle: Path) -> None:
    authority = Authority()
    bundle.write_bytes(authority.pem)
    async with private(tmp_path / "up", authority) as up, EgressProxy({f"{NAME}:443": up.port}) as proxy:
        served = reaching(f"https://{NAME}/v1", proxy=proxy.url, ca_bundle=True)
        async with serving(served, ca_bundle=bundle) as running:
            assert (await ask(running)).status_code == 200
            assert proxy.lines == [f"CONNECT {NAME}:443 HTTP/1.1".encode()]


async def test_a_proxy_that_refuses_is_told_to_the_caller() -> None:
    async with (
        EgressProxy(answer=b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n") as proxy,
        serving(reaching(f"https://{NAME}/v1", proxy=proxy.url)) as running,
    ):
        answer = await ask(running)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "proxy_refused")
    assert "the proxy answered 403 Forbidden" in answer.json()["error"]["message"]


async def test_a_fallback_answers_where_the_proxy_refuses() -> None:
    async with EgressProxy(answer=b"HTTP/1.1 403 Forbidden\r\n\r\n") as proxy, Scripted() as near:
        near.otherwise(text("Hello from near"))
        backends = [backend(f"https://{NAME}/v1"), backend(near.url, "near")]
        one = config(route(backends, fallbacks=("near",)), egress=Egress(proxy=proxy.url))
        async with serving(one) as running:
            answer = await ask(running)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from near"


async def test_a_new_config_changes_the_way_of_the_next_call() -> None:
    async with Scripted() as up, EgressProxy({NAME: int(up.origin.rpartition(":")[2])}) as proxy:
        up.otherwise(text("Hello"))
        url = f"http://{NAME}/v1"
        async with serving(reaching(url)) as running:
            assert (await ask(running)).json()["error"]["code"] == "connect_failed"
            await running.gateway.swap(reaching(url, proxy=proxy.url))
            assert (await ask(running)).status_code == 200
            await running.gateway.swap(reaching(url))
            assert (await ask(running)).json()["error"]["code"] == "connect_failed"


async def test_a_server_with_a_private_authority_is_trusted_by_the_bundle_alone(tmp_path: Path, bundle: Path) -> None:
    authority = Authority()
    bundle.write_bytes(authority.pem)
    async with private(tmp_path / "up", authority) as up:
        url = f"https://localhost:{up.port}/v1"
        async with serving(reaching(url), ca_bundle=bundle) as running:
            refused = await ask(running)
            assert refused.status_code == 502
            assert "certificate is not trusted" in refused.json()["error"]["message"]
            await running.gateway.swap(reaching(url, ca_bundle=True))
            assert (await ask(running)).status_code == 200


async def test_a_rotated_bundle_is_taken_up_by_the_same_config(tmp_path: Path, bundle: Path) -> None:
    old, new = Authority("an old authority"), Authority("a new authority")
    bundle.write_bytes(old.pem)
    async with private(tmp_path / "up", new) as up:
        served = reaching(f"https://localhost:{up.port}/v1", ca_bundle=True)
        async with serving(served, ca_bundle=bundle) as running:
            assert (await ask(running)).status_code == 502
            bundle.write_bytes(old.pem + new.pem)
            await running.gateway.swap(served)
            assert (await ask(running)).status_code == 200


async def test_a_broken_bundle_refuses_the_config_and_the_old_one_serves(bundle: Path) -> None:
    bundle.write_text("no certificate")
    async with Scripted() as up:
        up.otherwise(text("Hello"))
        async with serving(reaching(up.url), ca_bundle=bundle) as running:
            with pytest.raises(ValueError, match=r"egress\.caBundle: .* holds no certificates that can be read"):
                await running.gateway.swap(reaching(up.url, ca_bundle=True))
            assert (await ask(running)).status_code == 200
            await running.gateway.swap(reaching(up.url))
            assert (await ask(running)).status_code == 200
