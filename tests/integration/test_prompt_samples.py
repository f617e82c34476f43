"""Nothing that says who somebody is reaches the data folder, whatever callers send; samples are fair and bounded."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import behaviours
from doubles.scripted import Request, Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_sidecar.audit.model import digest
from sluice_sidecar.audit.records import Records
from sluice_sidecar.audit.samples import read
from sluice_sidecar.config import AuditSampling

PROMPT = "You are a helpful assistant of the shop. Answer in one sentence."
KINDS = ("Email", "Phone", "Card", "Iban", "Address", "Name")
ALL = AuditSampling(requests=50, redact=KINDS)
CANARIES = (
    "jane.canary@example.com",
    "4111 1111 1111 1111",
    "4111111111111111",
    "DE89370400440532013000",
    "+49 30 901820",
    "221B Baker Street",
    "Canarysson",
    "sk-live-canary0123456789abcdef",
    "hunter2canary",
    "AKIACANARY0123456789",
    "ghp_canary0123456789canary0123456789",
)
TOLD = (
    "My name is Jane Canarysson, I live at 221B Baker Street. Mail jane.canary@example.com or call +49 30 901820. "
    "My card is 4111 1111 1111 1111, that is 4111111111111111, my account DE89370400440532013000. "
    "password: hunter2canary, key sk-live-canary0123456789abcdef and AKIACANARY0123456789, "
    "token ghp_canary0123456789canary0123456789."
)
CLIENT = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
"""Keeps no connection, so that it belongs to no test's event loop."""


async def chat(served: Served, *messages: dict[str, Any], path: str = "/chat/completions", **more: Any) -> int:
    body = {"model": "auto", "messages": messages, **more}
    return (await CLIENT.post(served.base_url + path, json=body)).status_code


def system(text: Any = PROMPT) -> dict[str, Any]:
    return {"role": "system", "content": text}


def user(text: Any = "Hi") -> dict[str, Any]:
    return {"role": "user", "content": text}


async def looked(served: Served) -> None:
    desk = served.gateway._desk
    assert desk is not None
    await desk.look(write=True)


def bytes_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted((folder / "audit").rglob("*")) if path.is_file())


def samples(folder: Path) -> list[Any]:
    records = Records(folder / "audit" / "prompts.sqlite")
    try:
        return read(records, "main")
    finally:
        records.close()


async def test_no_canary_is_on_disk(tmp_path: Path) -> None:
    def echo(request: Request) -> Any:
        return behaviours.error(404) if request.path.endswith("/tokenize") else behaviours.text(f"You said: {TOLD}")

    schema = {"type": "object", "properties": {"jane.canary@example.com": {"description": TOLD}}}
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.chosen(echo))
        async with serving(config(route([backend(upstream.url)], audit=ALL)), data=tmp_path) as served:
            parts = [{"type": "text", "text": TOLD}, {"type": "text", "text": "And now?"}]
            call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": TOLD}}
            image = {"type": "image_url", "image_url": {"url": f"https://example.com/?q={CANARIES[0]}"}}
            for answered in (
                await chat(served, system(), user(TOLD)),
                await chat(served, system(), user(TOLD), stream=True),
                await chat(served, system(), user(parts)),
                await chat(served, system(f"# Shop\nBe kind.\n\n# Customer\n{TOLD}"), user(TOLD)),
                await chat(served, system(), system(TOLD), user()),
                await chat(served, system(), {"role": "assistant", "content": None, "tool_calls": [call]}, user()),
                await chat(served, system(), user([*parts, image])),
                await chat(served, system(), {"role": CANARIES[0], "content": "x"}, user()),
                await chat(served, system(), {**user(TOLD), "name": "Canarysson"}, user=CANARIES[0]),
                await chat(served, system(), user(TOLD), stop=[CANARIES[0]], metadata={"who": TOLD}),
                await chat(served, system(), user(), response_format={"type": "json_object", "schema": schema}),
                await chat(served, system(), user(TOLD + " " + "x" * 40_000)),
                await chat(served, user(TOLD), path="/messages", max_tokens=9, system=TOLD),
            ):
                assert answered == 200
            await looked(served)
            running = bytes_in(tmp_path)
    stored = running + bytes_in(tmp_path)
    assert PROMPT.encode() in stored  # something was kept
    assert len(samples(tmp_path)) >= 6
    assert [one for one in CANARIES if one.encode() in stored] == []
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [one for one in CANARIES if one.encode() in everything] == []


async def test_a_sample_is_what_an_audit_works_on(tmp_path: Path) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Gladly."))
        async with serving(config(route([backend(upstream.url)], audit=ALL)), data=tmp_path) as served:
            await chat(served, system(), user("Where is my parcel? I am at a@example.com"), temperature=0.5)
    (one,) = samples(tmp_path)
    assert one.prompt == digest(PROMPT)
    assert one.messages == ({"role": "user", "content": "Where is my parcel? I am at [EMAIL 1]"},)
    assert (one.answer, one.options) == ("Gladly.", {"temperature": 0.5})


async def test_no_more_are_kept_than_wanted(tmp_path: Path) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Yes."))
        few = AuditSampling(requests=3)
        async with serving(config(route([backend(upstream.url)], audit=few)), data=tmp_path) as served:
            for n in range(12):
                await chat(served, system(), user(f"Question {n}"))
            await looked(served)
    assert len(samples(tmp_path)) == 3


@pytest.mark.parametrize(("tenants", "kept"), [(None, 1), (("anyone-else",), 0)])
async def test_a_tenant_that_gave_no_leave_is_not_sampled(tmp_path: Path, tenants: Any, kept: int) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Yes."))
        some = AuditSampling(tenants=tenants)
        async with serving(config(route([backend(upstream.url)], audit=some)), data=tmp_path) as served:
            await chat(served, system(), user())
    assert len(samples(tmp_path)) == kept


async def test_samples_are_erased_when_leave_is_taken_back_or_nobody_audits(tmp_path: Path) -> None:
    async with Scripted() as upstream:
        upstream.otherwise(behaviours.text("Yes."))
        routes = [route([backend(upstream.url)], audit=audit) for audit in (ALL, AuditSampling(tenants=()), ALL, None)]
        async with serving(config(routes[0]), data=tmp_path) as served:
            left = []
            for given in routes[1:]:
                await chat(served, system(), user("Find the needle"))
                await looked(served)
                await served.gateway.swap(config(given))
                left.append(len(samples(tmp_path)))
    assert left == [0, 0, 0]
    assert b"needle" not in bytes_in(tmp_path)


def test_what_is_past_its_time_is_erased(tmp_path: Path) -> None:
    records = Records(tmp_path / "prompts.sqlite")
    now = time.time()
    for ident, until in (("old", now - 1), ("new", now + 100)):
        sample = {"id": ident, "prompt": "p", "tenant": "t", "at": now, "messages": [], "answer": "", "options": {}}
        records.keep("main", sample, until)
    assert records.forget(now) == ["old"]
    assert [one.id for one in read(records, "main")] == ["new"]
    records.close()
