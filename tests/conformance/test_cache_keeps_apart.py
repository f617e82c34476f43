"""What must never share an answer: the defects that users of other gateways report."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from doubles import behaviours as do
from doubles.running import PATIENCE
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, policy, route, serving

KEYS = {"SLUICE_SECRET_KEYS_ACME": "acme-key", "SLUICE_SECRET_KEYS_BETA": "beta-key"}
BASE: dict[str, Any] = {
    "model": "auto",
    "temperature": 0,
    "messages": [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "How do I reset my password?"},
    ],
}


@pytest.fixture
async def served(up: Scripted) -> AsyncIterator[Served]:
    up.otherwise(do.text("Use the link."))
    kept = config(
        route([backend(up.url)], policy="keep"),
        policies=[policy(partition_headers=("x-department",))],
        keys_secret="keys",
    )
    async with serving(kept, environ=KEYS) as one:
        yield one


async def ask(
    served: Served, body: dict[str, Any] = BASE, key: str = "acme-key", headers: dict[str, str] | None = None
) -> tuple[str | None, dict[str, Any]]:
    """How the cache took part, and the answer."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(
            served.base_url + "/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {key}", **(headers or {})},
        )
    assert answer.status_code == 200, answer.text
    return answer.headers.get("x-sluice-cache"), answer.json()


async def test_an_equal_ask_is_answered_from_the_cache_under_a_fresh_id(up: Scripted, served: Served) -> None:
    how, first = await ask(served)
    again, second = await ask(served)
    assert (how, again) == ("miss", "identical")
    assert up.count == 1
    assert first["choices"] == second["choices"]
    assert first["usage"] == second["usage"]
    assert first["id"] != second["id"]


async def test_transport_fields_do_not_matter(up: Scripted, served: Served) -> None:
    await ask(served)
    how, _ = await ask(served, {**BASE, "user": "u-17", "metadata": {"trace": "x"}})
    assert how == "identical"


def changed(**fields: Any) -> dict[str, Any]:
    return {**BASE, **fields}


def last(text: str) -> dict[str, Any]:
    return {**BASE, "messages": [BASE["messages"][0], {"role": "user", "content": text}]}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(changed(temperature=0.7), id="temperature"),
        pytest.param({k: v for k, v in BASE.items() if k != "temperature"}, id="temperature omitted"),
        pytest.param(changed(seed=1), id="seed"),
        pytest.param(changed(max_tokens=5), id="limit"),
        pytest.param(changed(response_format={"type": "json_object"}), id="response format"),
        pytest.param(changed(tools=[{"type": "function", "function": {"name": "f"}}]), id="tools"),
        pytest.param(changed(a_field_of_tomorrow=True), id="unknown field"),
        pytest.param(
            changed(messages=[{"role": "system", "content": "You are verbose."}, BASE["messages"][1]]),
            id="system prompt",
        ),
        pytest.param(changed(messages=[BASE["messages"][1]]), id="no system prompt"),
        pytest.param(last("How do I not reset my password?"), id="negation"),
        pytest.param(
            changed(
                messages=[
                    BASE["messages"][0],
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello"},
                    BASE["messages"][1],
                ]
            ),
            id="history",
        ),
    ],
)
async def test_what_can_change_the_answer_is_asked_anew(up: Scripted, served: Served, other: dict[str, Any]) -> None:
    await ask(served)
    how, _ = await ask(served, other)
    assert how == "miss"
    assert up.count == 2


async def test_tenants_never_share(up: Scripted, served: Served) -> None:
    await ask(served, key="acme-key")
    how, _ = await ask(served, key="beta-key")
    assert how == "miss"


async def test_a_header_cannot_name_the_tenant(up: Scripted, served: Served) -> None:
    await ask(served, key="acme-key")
    how, _ = await ask(
        served, key="beta-key", headers={"x-sluice-tenant": "acme", "x-tenant": "acme", "openai-organization": "acme"}
    )
    assert how == "miss"


async def test_partitions_never_share(up: Scripted, served: Served) -> None:
    await ask(served, headers={"x-department": "sales"})
    assert (await ask(served, headers={"x-department": "legal"}))[0] == "miss"
    assert (await ask(served, headers={"x-department": "sales"}))[0] == "identical"


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda: do.text("Use the", finish="length"), "truncated"),
        (lambda: do.text("", finish="content_filter"), "filtered"),
        (lambda: do.tool_call(), "a tool call"),
        (lambda: do.error(429), "an error"),
        (lambda: do.error_inside(), "an error in disguise"),
        (lambda: do.half_event(), "a partial stream"),
    ],
)
async def test_what_is_no_good_answer_is_never_stored(
    up: Scripted, served: Served, answer: Callable[[], Any], what: str
) -> None:
    stream = what == "a partial stream"
    up.otherwise(answer())
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for _ in range(2):
            got = await client.post(
                served.base_url + "/chat/completions",
                json={**BASE, "stream": stream},
                headers={"authorization": "Bearer acme-key"},
            )
            assert got.headers["x-sluice-cache"] == "miss", what
    assert served.gateway.cache is not None
    assert served.gateway.cache.entries == 0


async def test_a_caller_can_refuse_to_be_stored(up: Scripted, served: Served) -> None:
    assert (await ask(served, headers={"cache-control": "no-store"}))[0] == "bypass"
    assert (await ask(served))[0] == "miss"
    assert (await ask(served, headers={"cache-control": "no-cache"}))[0] == "bypass"
    assert (await ask(served, headers={"cache-control": "max-age=0"}))[0] == "bypass"
    assert (await ask(served, headers={"cache-control": "max-age=60"}))[0] == "identical"


async def test_no_cache_refreshes_what_is_stored(up: Scripted, served: Served) -> None:
    await ask(served)
    up.otherwise(do.text("Use the new link."))
    await ask(served, headers={"cache-control": "no-cache"})
    how, answer = await ask(served)
    assert how == "identical"
    assert answer["choices"][0]["message"]["content"] == "Use the new link."


async def test_a_purge_forgets_one_tenant_alone(up: Scripted, served: Served) -> None:
    await ask(served, key="acme-key")
    await ask(served, key="beta-key")
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        purged = await client.post(served.admin + "/-/purge", json={"tenant": "acme"})
    assert purged.json() == {"purged": 1}
    assert (await ask(served, key="acme-key"))[0] == "miss"
    assert (await ask(served, key="beta-key"))[0] == "identical"


@pytest.mark.parametrize("said", ["", "Internal server error", "I'm sorry, but I can't assist with that."])
async def test_an_answer_that_is_none_is_not_kept(up: Scripted, served: Served, said: str) -> None:
    up.otherwise(do.text(said))
    await ask(served)
    assert (await ask(served))[0] == "miss"
    assert up.count == 2
