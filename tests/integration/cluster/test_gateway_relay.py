"""A sidecar's keyed calls go through the shared gateway, and the key appears there alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from doubles.behaviours import stall, text
from doubles.kube import Api
from doubles.pods import Pod, mounts, pod, published, routed, secret
from doubles.running import ASK, PATIENCE
from doubles.scripted import Scripted
from sluice_sidecar.config import Backend, Cascade, Config, Credential, HttpCheck, Route

KEY = "sk-canary-77"
TOKEN = Credential(secret="openai", key="token", version="v1")


@asynccontextmanager
async def both(api: Api, namespace: str, folder: Path, config: Config) -> AsyncIterator[tuple[Pod, Pod]]:
    """The shared gateway and a sidecar, serving `config`."""
    run = mounts(api, namespace, folder)
    api.apply(published(namespace, config))
    async with (
        pod(run, namespace, api.server) as shared,
        pod(run, namespace, api.server, "sidecar", "--relay", shared.url) as sidecar,
    ):
        await shared.serves(config)
        await sidecar.serves(config)
        yield shared, sidecar


def granted(namespace: str, up: Scripted) -> dict[str, object]:
    return secret(
        namespace,
        {"openai_token": {"version": "v1", "hosts": [up.origin.removeprefix("http://")]}},
        openai_token=KEY,
    )


async def test_the_key_is_added_by_the_shared_gateway_and_streams_pass(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        up.otherwise(text("Hello"))
        api.apply(granted(namespace, up))
        async with both(api, namespace, tmp_path, routed(up.url, credential=TOKEN)) as (_, sidecar):
            answer = await client.post(sidecar.url + "/v1/chat/completions", json=ASK)
            assert answer.json()["choices"][0]["message"]["content"] == "Hello"
            assert up.requests[0].headers["authorization"] == f"Bearer {KEY}"
            assert up.requests[0].path == "/v1/chat/completions"
            streamed = await client.post(sidecar.url + "/v1/chat/completions", json=ASK | {"stream": True})
            assert streamed.text.rstrip().endswith("data: [DONE]")
            assert KEY.encode() not in Path(f"/proc/{sidecar.process.pid}/environ").read_bytes()
            assert KEY not in sidecar.said
            decisions = (await sidecar.answers(client, "/-/decisions"))["decisions"]
            assert {decision["tenant"] for decision in decisions} == {"sa:app"}


async def test_a_caller_that_leaves_the_sidecar_ends_the_call_upstream(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        up.otherwise(stall())
        api.apply(granted(namespace, up))
        async with both(api, namespace, tmp_path, routed(up.url, credential=TOKEN)) as (_, sidecar):
            asking = asyncio.create_task(client.post(sidecar.url + "/v1/chat/completions", json=ASK))
            async with asyncio.timeout(PATIENCE):
                request = await up.arrived(1)
                asking.cancel()
                await request.gone.wait()


async def test_a_forged_config_cannot_send_the_key_elsewhere(api: Api, namespace: str, tmp_path: Path) -> None:
    async with (
        Scripted() as up,
        Scripted() as thief,
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
    ):
        thief.otherwise(text("thanks"))
        api.apply(granted(namespace, up))
        async with both(api, namespace, tmp_path, routed(thief.url, credential=TOKEN)) as (shared, sidecar):
            for url in (shared.url, sidecar.url):
                answer = await client.post(url + "/v1/chat/completions", json=ASK)
                assert answer.status_code >= 400
            refused = (await shared.answers(client, "/-/config"))["refused"]["house"]
            assert "may not be sent to" in refused
            assert thief.count == 0


async def test_the_relay_takes_no_other_token(api: Api, namespace: str, tmp_path: Path) -> None:
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        api.apply(granted(namespace, up))
        run = mounts(api, namespace, tmp_path)
        config = routed(up.url, credential=TOKEN)
        api.apply(published(namespace, config))
        foreign = api.kubectl("create", "token", "default", "-n", "default", "--audience", "sluice").strip()
        wrong = (run / "api" / "token").read_text().strip()
        right = (run / "operator" / "token").read_text().strip()
        head, claims, signature = right.split(".")
        forged = f"{head}.{claims}.{signature[:-8]}AAAAAAAA"
        async with pod(run, namespace, api.server) as shared:
            await shared.serves(config)
            at = shared.url + "/-/relay/house/house/chat/completions"
            for token in (foreign, wrong, forged, "nonsense", "a.b.c"):
                answer = await client.post(at, json=ASK, headers={"authorization": f"Bearer {token}"})
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token"), answer.text
            assert (await client.post(at, json=ASK)).status_code == 401
            assert up.count == 0
            elsewhere = shared.url + "/-/relay/house/house/files"
            lost = await client.post(elsewhere, json=ASK, headers={"authorization": f"Bearer {right}"})
            assert lost.status_code == 404
            moved = {"location": "http://127.0.0.1:1/"}
            up.answer(lambda call: call.send(307, b"{}", moved))
            redirected = await client.post(at, json=ASK, headers={"authorization": f"Bearer {right}"})
            assert (redirected.status_code, up.count) == (307, 1)


async def test_a_check_with_a_credential_is_relayed_too(api: Api, namespace: str, tmp_path: Path) -> None:
    async with Scripted() as up, Scripted() as judge, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        up.otherwise(text("Hello"))
        judge.otherwise(lambda call: call.send(200, b'{"accept":true}'))
        api.apply(granted(namespace, judge))
        check = HttpCheck(url=judge.origin + "/judge", timeout=PATIENCE, credential=TOKEN)
        backends = {name: Backend(name=name, url=up.url, model=name) for name in ("small", "large")}
        route = Route(
            name="house",
            models=("auto",),
            backends=backends,
            strategy=Cascade(stages=("small", "large"), checks=(check,)),
            reference="large",
        )
        async with both(api, namespace, tmp_path, Config(routes={"house": route}).sealed()) as (_, sidecar):
            answer = await client.post(sidecar.url + "/v1/chat/completions", json=ASK)
            assert answer.headers["x-sluice-backend"] == "small"
            (asked,) = judge.requests
            assert (asked.path, asked.headers["authorization"]) == ("/judge", f"Bearer {KEY}")
            assert "authorization" not in up.requests[0].headers
