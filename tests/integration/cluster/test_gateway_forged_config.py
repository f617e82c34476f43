"""The shared gateway, which holds the credentials, serves no Config that the operator did not sign."""

from pathlib import Path

from doubles.kube import Api
from doubles.pods import config_map, hears, mounts, pod, published, routed, secret
from sluice_sidecar.config import Credential
from sluice_sidecar.signature import sign

URL = "http://127.0.0.1:1/v1"
NOT_OURS = "ConfigMap sluice-config: its signature is not the operator's"


async def test_an_unsigned_config_is_refused_and_what_was_served_stays(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    held = {"openai_token": {"version": "v1", "hosts": ["127.0.0.1"]}}
    good = routed(URL, credential=Credential(secret="openai", key="token", version="v1"))
    evil = routed("http://127.0.0.1:2/v1", model="other")
    api.apply(secret(namespace, held, openai_token="one"), published(namespace, good))
    async with pod(run, namespace, api.server) as gateway:
        await gateway.serves(good)
        api.apply(config_map(namespace, "sluice-config", config=evil.to_json().decode(), signature=""))
        await hears(gateway, NOT_OURS)
        await gateway.serves(good)
        # Any change of the Secret looks at it again.
        api.apply(secret(namespace, held, openai_token="two"))
        better = routed(URL, model="better")
        api.apply(published(namespace, better))
        await gateway.serves(better)


async def test_another_namespaces_config_is_refused_and_the_right_one_taken(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    run = mounts(api, namespace, tmp_path)
    theirs, mine = routed(URL, model="theirs"), routed(URL, model="mine")
    replayed = {**published("other", theirs), "metadata": {"name": "sluice-config", "namespace": namespace}}
    api.apply(replayed)
    async with pod(run, namespace, api.server, ready=False) as gateway:
        await hears(gateway, NOT_OURS)
        api.apply(published(namespace, mine))
        await gateway.serves(mine)


async def test_a_new_salt_and_its_signature_are_taken_in_their_order(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    first, second = routed(URL), routed(URL, model="other")
    api.apply(published(namespace, first))
    async with pod(run, namespace, api.server) as gateway:
        await gateway.serves(first)
        renewed = secret(namespace, {})
        renewed["stringData"]["salt"] = "0e" * 32
        api.apply(renewed)
        text = second.to_json().decode()
        signature = sign("0e" * 32, namespace, text)
        api.apply(config_map(namespace, "sluice-config", config=text, signature=signature))
        await gateway.serves(second)
        assert NOT_OURS not in gateway.said
