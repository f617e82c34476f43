"""A caller names an address; a real receiver is told of the end, whatever the end was and by whichever wire it came."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

import httpx
import openai
import pytest

from doubles.batching import closed_window, jsonl, line, with_windows
from doubles.behaviours import error, text
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from doubles.webhook_receiver import Receiver, answer
from sluice_sidecar.batch.webhooks import Key
from sluice_sidecar.config import BatchWindow, Credential, Egress, Webhooks, Window

KEY, OLD = Key(bytes(range(32))), Key(bytes(range(1, 33)))
CHAT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
HOOKS = Webhooks(signing_key=Credential(secret="hooks", key="key"), allow=("https://hooks.example.com/in",))
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OPEN = BatchWindow(
    name="night", windows=(Window(days=DAYS, start="00:00", end="00:00"),), routes=("main",), webhooks=HOOKS
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(KEY) as one:
        yield one


@pytest.fixture
async def up() -> AsyncIterator[Scripted]:
    async with Scripted() as scripted:
        scripted.otherwise(text("Bonjour"))
        yield scripted


@pytest.fixture
async def served(up: Scripted, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Served]:
    ready = with_windows(config(route([backend(up.url)])), OPEN)
    async with Receiver(OLD) as old:
        both = f"{receiver.secret} {old.secret}"
    async with serving(ready, batches=tmp_path / "batch", environ={"SLUICE_SECRET_HOOKS_KEY": both}) as gateway:
        yield gateway


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as http:
        yield http


def wants(url: str) -> dict[str, str]:
    return {"prefer": "respond-async", "x-sluice-webhook": url}


async def told(receiver: Receiver, count: int = 1) -> list[dict[str, Any]]:
    """What the receiver was told, verified."""
    async with asyncio.timeout(30):
        await receiver.until(lambda: len(receiver.got) >= count)
    return [one.event for one in receiver.got]


async def batch_of(served: Served, lines: list[Any], metadata: Mapping[str, str]) -> openai.types.Batch:
    async with openai.AsyncOpenAI(base_url=served.base_url, api_key="none") as sdk:
        file = await sdk.files.create(file=("asks.jsonl", jsonl(lines)), purpose="batch")
        return await sdk.batches.create(
            input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata=dict(metadata)
        )


async def test_a_deferred_request_is_told_with_id_and_link_and_without_its_answer(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    made = await client.post(CHAT, json=ASK, headers=wants(receiver.url("/hook?token=t")))
    assert made.status_code == 202
    (event,) = await told(receiver)
    assert event["type"] == "response.completed"
    assert event["data"]["id"] == made.json()["id"]
    assert event["data"]["status"] == "completed"
    assert b"Bonjour" not in receiver.got[0].body
    found = await client.get(event["data"]["url"] + "/result")
    assert found.json()["choices"][0]["message"]["content"] == "Bonjour"


async def test_both_keys_sign_while_they_are_rotated(client: httpx.AsyncClient, receiver: Receiver) -> None:
    async with Receiver(OLD) as old:
        await client.post(CHAT, json=ASK, headers=wants(old.url()))
        await client.post(CHAT, json=ASK, headers=wants(receiver.url()))
        await told(old)
        await told(receiver)
        assert len(old.got[0].headers["webhook-signature"].split()) == 2


async def test_a_batch_names_its_address_in_its_metadata(served: Served, receiver: Receiver) -> None:
    batch = await batch_of(served, [line("a"), line("b", "Other")], {"sluice_webhook": receiver.url(), "mine": "1"})
    (event,) = await told(receiver)
    assert (event["type"], event["data"]["id"]) == ("batch.completed", batch.id)
    assert event["data"]["url"] == f"{served.url}/v1/batches/{batch.id}"


async def test_an_unreadable_file_and_a_failed_request_are_told_as_failed(
    served: Served, client: httpx.AsyncClient, receiver: Receiver, up: Scripted
) -> None:
    await batch_of(served, ["no json"], {"sluice_webhook": receiver.url()})
    assert [one["type"] for one in await told(receiver)] == ["batch.failed"]
    up.otherwise(error(400))
    await client.post(CHAT, json=ASK, headers=wants(receiver.url()))
    assert [one["type"] for one in await told(receiver, 2)] == ["batch.failed", "response.failed"]


async def test_what_was_taken_back_is_told_as_cancelled(
    served: Served, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main", webhooks=HOOKS)))
    place = (await client.post(CHAT, json=ASK, headers=wants(receiver.url()))).headers["location"]
    await client.delete(place)
    assert [one["type"] for one in await told(receiver)] == ["response.cancelled"]
    batch = await batch_of(served, [line("a")], {"sluice_webhook": receiver.url()})
    await client.post(f"/v1/batches/{batch.id}/cancel")
    assert [one["type"] for one in await told(receiver, 2)] == ["response.cancelled", "batch.cancelled"]


async def test_a_message_batch_names_its_address_in_the_header(client: httpx.AsyncClient, receiver: Receiver) -> None:
    asked = [{"custom_id": "a", "params": {"model": "auto", "max_tokens": 9, "messages": ASK["messages"]}}]
    made = await client.post(
        "/v1/messages/batches", json={"requests": asked}, headers={"x-sluice-webhook": receiver.url()}
    )
    (event,) = await told(receiver)
    assert (event["type"], event["data"]["id"]) == ("batch.completed", made.json()["id"])
    assert event["data"]["url"].endswith(f"/v1/messages/batches/{made.json()['id']}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://evil.example.net/in", "does not allow this address"),
        ("http://169.254.169.254/latest/meta-data/", "plain http"),
        ("https://hooks.example.com@169.254.169.254/in", "a user or password"),
        ("gopher://hooks.example.com/in", "scheme"),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_at_once(
    client: httpx.AsyncClient, url: str, says: str
) -> None:
    refused = await client.post(CHAT, json=ASK, headers=wants(url))
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "webhook_not_allowed"
    assert says in refused.json()["error"]["message"]


async def test_a_route_without_webhooks_and_two_addresses_are_refused(
    client: httpx.AsyncClient, served: Served, receiver: Receiver
) -> None:
    file = (await client.post("/v1/files", files={"file": ("a", jsonl([line("a")]))}, data={"purpose": "batch"})).json()
    asked = {"input_file_id": file["id"], "endpoint": CHAT, "completion_window": "24h"}
    noted = asked | {"metadata": {"sluice_webhook": receiver.url("/other")}}
    two = await client.post("/v1/batches", json=noted, headers={"x-sluice-webhook": receiver.url()})
    assert (two.status_code, two.json()["error"]["code"]) == (400, "webhook_ambiguous")
    await served.gateway.swap(with_windows(served.gateway.serving.config, closed_window("main")))
    none = await client.post(CHAT, json=ASK, headers=wants(receiver.url()))
    assert none.status_code == 400
    assert "no BatchWindow with webhooks names the route main" in none.json()["error"]["message"]


async def test_what_is_on_its_way_is_shown_and_sent_again(
    client: httpx.AsyncClient, served: Served, receiver: Receiver
) -> None:
    async with Receiver(KEY, answer(410), answer(204)) as gone:
        id_ = (await client.post(CHAT, json=ASK, headers=wants(gone.url("/hook?token=t")))).json()["id"]
        await told(gone)
        async with asyncio.timeout(30):
            while (shown := (await client.get(f"/v1/webhooks?batch={id_}")).json()["data"])[0]["status"] != "gone":
                await asyncio.sleep(0.02)
        assert (shown[0]["batch"], shown[0]["tries"], shown[0]["origin"]) == (id_, 1, f"http://127.0.0.1:{gone.port}")
        async with httpx.AsyncClient(base_url=served.admin) as admin:
            state = (await admin.get("/-/webhooks")).json()
        assert [(one["state"], one["webhooks"]) for one in state["endpoints"]] == [("gone", 1)]
        assert "token" not in str(state) + str(shown)
        again = await client.post("/v1/webhooks/replay", json={"since": 0})
        assert again.json()["replayed"] == 1
        events = await told(gone, 2)
        assert events[0]["id"] == events[1]["id"]
    for wrong in ({}, {"batch": id_, "since": 0}, {"since": "yesterday"}):
        assert (await client.post("/v1/webhooks/replay", json=wrong)).status_code == 400
    assert (await client.post("/v1/webhooks/replay", json={"batch": "batch_other"})).status_code == 404


async def test_a_tenants_webhooks_are_its_own(up: Scripted, tmp_path: Path, receiver: Receiver) -> None:
    ready = with_windows(config(route([backend(up.url)]), keys_secret="callers"), OPEN)
    keys = {"SLUICE_SECRET_CALLERS_ANNA": "a-key", "SLUICE_SECRET_CALLERS_BERT": "b-key"}
    environ = keys | {"SLUICE_SECRET_HOOKS_KEY": receiver.secret}
    async with (
        serving(ready, batches=tmp_path / "queue", environ=environ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, headers={"x-api-key": "a-key"}) as anna,
        httpx.AsyncClient(base_url=gateway.url, headers={"x-api-key": "b-key"}) as bert,
    ):
        id_ = (await anna.post(CHAT, json=ASK, headers=wants(receiver.url()))).json()["id"]
        await told(receiver)
        assert [one["batch"] for one in (await anna.get("/v1/webhooks")).json()["data"]] == [id_]
        assert (await bert.get(f"/v1/webhooks?batch={id_}")).json()["data"] == []
        assert (await bert.post("/v1/webhooks/replay", json={"batch": id_})).status_code == 404
        assert (await bert.get(f"/v1/deferred/{id_}/events")).status_code == 404
        assert (await anna.get("/v1/webhooks", headers={"x-api-key": "c-key"})).status_code == 401
        assert (await anna.post("/v1/webhooks/replay", json={"batch": id_})).json()["replayed"] == 1
        assert len({one["id"] for one in await told(receiver, 2)}) == 1


async def test_another_egress_is_obeyed_and_webhooks_go_on(
    client: httpx.AsyncClient, served: Served, receiver: Receiver
) -> None:
    await client.post(CHAT, json=ASK, headers=wants(receiver.url()))
    await told(receiver)
    before = served.gateway.serving.config
    wider = before.gateway.model_copy(update={"egress": Egress(allow=("10.0.0.0/8",))})
    await served.gateway.swap(before.model_copy(update={"gateway": wider}).sealed())
    await client.post(CHAT, json=ASK, headers=wants(receiver.url()))
    assert len({one["id"] for one in await told(receiver, 2)}) == 2


async def test_a_webhook_changes_nothing_at_the_admin_port(client: httpx.AsyncClient, served: Served) -> None:
    id_ = (await client.post(CHAT, json=ASK, headers=wants(served.admin + "/-/purge"))).json()["id"]
    async with asyncio.timeout(30):
        while not (found := (await client.get(f"/v1/webhooks?batch={id_}")).json()["data"]) or not found[0]["reason"]:
            await asyncio.sleep(0.02)
    assert found[0]["reason"] == "it answered 403"
