"""Whoever may write the ConfigMap of Endpoints gets no prompt and no token sent to a place of their own."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from doubles.behaviours import text
from doubles.certificates import Authority, server_side
from doubles.kube import Api
from doubles.pods import addresses, config_map, hears, mounts, pod, published, secret
from doubles.raw_server import Peer, RawServer
from doubles.running import ASK, PATIENCE, until
from doubles.scripted import Scripted
from sluice_sidecar.config import Backend, Config, Endpoints, Reports, Route, Single
from sluice_sidecar.signature import sign

NOT_OURS = "ConfigMap sluice-endpoints: its signature is not the operator's"
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"interval":1}'


def managed() -> Config:
    """One route to a model that the operator runs."""
    house = Backend(name="house", managed="smollm2", model="upstream")
    route = Route(
        name="house", models=("auto",), backends={"house": house}, strategy=Single(backend="house"), reference="house"
    )
    return Config(routes={"house": route}).sealed()


def at(*urls: str) -> Endpoints:
    return Endpoints(models={"smollm2": urls})


async def asked(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        answer = await client.post(f"{url}/v1/chat/completions", json=ASK)
        return str(answer.json()["choices"][0]["message"]["content"])


async def test_the_shared_gateway_takes_only_addresses_that_the_operator_signed(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    async with Scripted() as one, Scripted() as two, Scripted() as evil:
        one.otherwise(text("one"))
        two.otherwise(text("two"))
        evil.otherwise(text("evil"))
        api.apply(published(namespace, managed()), addresses(namespace, at(one.url)))
        async with pod(run, namespace, api.server) as gateway:
            assert await asked(gateway.url) == "one"
            forged = at(evil.url).model_dump_json()
            for signature in ("", sign("0e" * 32, namespace, forged, "endpoints")):
                said = gateway.said.count(NOT_OURS)
                api.apply(config_map(namespace, "sluice-endpoints", endpoints=forged, signature=signature))
                await until(lambda: gateway.said.count(NOT_OURS) > said, "the refusal")  # noqa: B023
                assert await asked(gateway.url) == "one"
            api.apply(addresses(namespace, at(two.url)))
            async with asyncio.timeout(PATIENCE):
                while await asked(gateway.url) != "two":
                    await asyncio.sleep(0.01)
        assert not evil.requests


async def test_addresses_that_are_signed_with_a_new_salt_wait_for_it(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    async with Scripted() as up:
        up.otherwise(text("here"))
        renewed = secret(namespace, {})
        renewed["stringData"]["salt"] = "0e" * 32
        found = at(up.url).model_dump_json()
        signature = sign("0e" * 32, namespace, found, "endpoints")
        api.apply(published(namespace, managed()))
        async with pod(run, namespace, api.server) as gateway:
            api.apply(config_map(namespace, "sluice-endpoints", endpoints=found, signature=signature))
            await hears(gateway, NOT_OURS)
            api.apply(renewed)
            assert await asked(gateway.url) == "here"


async def test_a_gateway_reports_to_the_place_that_it_was_started_with(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    authority = Authority()
    heard: dict[str, list[Any]] = {"operator": [], "evil": []}

    def server(name: str) -> Any:
        async def serve(peer: Peer) -> None:
            while True:
                _, body = await peer.request()
                heard[name].append(json.loads(body))
                await peer.send(ANSWER)

        return serve

    tls = server_side(tmp_path / "reports", authority.sign("localhost"))
    async with RawServer(server("operator"), tls=tls) as operator, RawServer(server("evil"), tls=tls) as evil:
        right, wrong = (
            addresses(
                namespace,
                Endpoints(reports=Reports(url=f"https://localhost:{one.port}", ca=authority.pem.decode())),
            )
            for one in (operator, evil)
        )
        api.apply(published(namespace, managed()), wrong)
        only = ("--relay", "http://127.0.0.1:1", "--report-to", f"https://localhost:{operator.port}")
        async with pod(run, namespace, api.server, "sidecar", *only) as gateway:
            await hears(gateway, f"they go to https://localhost:{operator.port} alone")
            api.apply(right)
            await until(lambda: heard["operator"], "a report")
    assert not heard["evil"]
