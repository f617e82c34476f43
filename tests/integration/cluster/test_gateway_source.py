"""A gateway in a cluster takes its Config from the API server, and from its mounts while that is away."""

import asyncio
import hashlib
import json
import time
from pathlib import Path

import httpx

from doubles.behaviours import text
from doubles.kube import Api
from doubles.pods import SALT, config_map, hears, mounts, pod, published, routed, secret
from doubles.running import ASK, PATIENCE
from doubles.scripted import Scripted
from e2e.kubebox import cluster
from sluice_sidecar.config import Credential
from sluice_sidecar.signature import sign


async def test_it_starts_from_the_api_and_adopts_a_change_at_once(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    async with Scripted() as up, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        up.otherwise(text("Hello"))
        first, second = routed(up.url), routed(up.url, model="other")
        api.apply(published(namespace, first))
        async with pod(run, namespace, api.server) as gateway:
            await gateway.serves(first)
            assert (await client.get(gateway.admin + "/startz")).json() == {"started": True}
            took = []
            for config in (second, first, second):
                api.apply(published(namespace, config))
                began = time.monotonic()  # kubectl returns after the write: what is left is ours
                await gateway.serves(config)
                took.append(time.monotonic() - began)
            assert min(took) < 1.0
            answer = await client.post(gateway.url + "/v1/chat/completions", json=ASK | {"model": "other"})
            assert answer.status_code == 200


async def test_a_config_in_shards_is_served_only_when_all_of_them_match(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    first, second = routed("http://127.0.0.1:1/v1"), routed("http://127.0.0.1:1/v1", model="other")
    whole = second.to_json().decode()
    shard = {"name": "sluice-config-0", "sha256": hashlib.sha256(whole.encode()).hexdigest()}
    api.apply(published(namespace, first))
    async with pod(run, namespace, api.server) as gateway:
        await gateway.serves(first)
        api.apply(config_map(namespace, "sluice-config-0", part=whole[:-1]))
        index = {"shards": json.dumps({"digest": "", "shards": [shard]}), "signature": sign(SALT, namespace, whole)}
        api.apply(config_map(namespace, "sluice-config", **index))
        await gateway.serves(first)
        api.apply(config_map(namespace, "sluice-config-0", part=whole))
        await gateway.serves(second)


async def test_a_config_waits_for_the_credential_version_that_it_names(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    url = "http://127.0.0.1:1/v1"
    first, second = (
        routed(url, credential=Credential(secret="openai", key="token", version=version)) for version in ("v1", "v2")
    )
    api.apply(
        published(namespace, first),
        secret(namespace, {"openai_token": {"version": "v1", "hosts": ["127.0.0.1"]}}, openai_token="one"),
    )
    async with pod(run, namespace, api.server) as gateway:
        await gateway.serves(first)
        api.apply(published(namespace, second))
        await hears(gateway, "waits for version v2 of credential openai/token")
        await gateway.serves(first)
        api.apply(secret(namespace, {"openai_token": {"version": "v2", "hosts": ["127.0.0.1"]}}, openai_token="two"))
        await gateway.serves(second)
        assert not {"one", "two"} & set(gateway.said.split())


async def test_it_starts_from_the_mounted_files_while_the_api_is_away_and_catches_up(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    old, new = routed("http://127.0.0.1:1/v1"), routed("http://127.0.0.1:1/v1", model="other")
    api.apply(published(namespace, new))
    (run / "config").mkdir()
    (run / "config" / "config.json").write_bytes(old.to_json())
    cluster.crash(api.layout, "kube-apiserver")
    restored = False
    try:
        async with pod(run, namespace, api.server) as gateway:
            await gateway.serves(old)
            restored = True
            await asyncio.to_thread(cluster.restore, api.layout, "kube-apiserver")
            await gateway.serves(new)
    finally:
        if not restored:
            cluster.restore(api.layout, "kube-apiserver")
