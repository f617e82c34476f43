"""The admin port's answers, good and bad."""

from typing import Any

import orjson
import pytest

from doubles.bookkeeping import Gateway, hit, route
from sluice_sidecar.admin.admin import Admin
from sluice_sidecar.config import Config, Policy

JSON = {"content-type": "application/json"}


class Answered:
    """One answer of the app."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


async def call(
    admin: Admin | None = None, method: str = "GET", path: str = "/", *, body: bytes = b"", **given: dict[str, str]
) -> Answered:
    headers = {"host": "127.0.0.1:8081", **given.get("headers", {})}
    path, _, query = path.partition("?")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items() if value],
    }
    await (admin or Admin(Gateway()))(scope, receive, send)
    return Answered(
        sent[0]["status"],
        {k.decode(): v.decode() for k, v in sent[0]["headers"]},
        b"".join(m.get("body", b"") for m in sent[1:]),
    )


async def test_health_and_readiness() -> None:
    gateway = Gateway(missing=["no configuration yet"])
    assert (await call(Admin(gateway), path="/healthz")).status == 200
    waiting = await call(Admin(gateway), path="/readyz")
    assert (waiting.status, waiting.json) == (503, {"ready": False, "reasons": ["no configuration yet"]})
    gateway.missing.clear()
    assert (await call(Admin(gateway), path="/readyz")).status == 200


async def test_evidence_and_the_last_hits_by_meaning() -> None:
    assert (await call(path="/-/evidence")).json["policies"]["keep"]["label"]["bound"] == 0.009
    assert [hit["request"] for hit in (await call(path="/-/hits?limit=1")).json["hits"]] == ["r2"]


async def test_prompts_are_listed() -> None:
    assert (await call(path="/-/prompts")).json["prompts"] == []


async def test_metrics_in_both_formats() -> None:
    text = await call(path="/metrics")
    assert text.headers["content-type"].startswith("text/plain")
    assert b"sluice_inflight_requests" in text.body
    openmetrics = await call(path="/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")


async def test_config_shows_what_is_served_and_what_is_not() -> None:
    config = Config(
        routes={"support": route(), "sales": route("sales")}, policies={"keep": Policy(name="keep", ttl=60.0)}
    ).sealed()
    gateway = Gateway(served=config, not_served={"sales": "needs task, which this gateway cannot do: upgrade it"})
    shown = (await call(Admin(gateway), path="/-/config")).json
    assert shown["digest"] == config.digest
    assert shown["routes"]["support"]["served"]
    assert shown["routes"]["support"]["digest"] == config.routes["support"].digest
    assert shown["routes"]["sales"]["refused"].startswith("needs task")
    assert not shown["routes"]["sales"]["served"]
    assert shown["policies"]["keep"]["ttl"] == 60.0


async def test_config_hides_what_a_url_may_carry() -> None:
    shown = await call(Admin(Gateway(served=Config(routes={"support": route()}).sealed())), path="/-/config")
    assert shown.json["routes"]["support"]["backends"]["large"]["url"] == "https://api.example.com/v1"
    assert b"hush" not in shown.body
    assert b"pass" not in shown.body


async def test_config_before_the_first() -> None:
    shown = (await call(path="/-/config")).json
    assert (shown["digest"], shown["routes"]) == (None, {})


async def test_decisions_and_savings() -> None:
    gateway = Gateway()
    for i in range(20):
        gateway.ledger.record(hit(id=f"h{i}"), route())
    shown = (await call(Admin(gateway), path="/-/decisions?limit=5")).json["decisions"]
    assert [one["id"] for one in shown] == ["h19", "h18", "h17", "h16", "h15"]
    assert (await call(Admin(gateway), path="/-/savings")).json["requests"] == 20


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "ten", "", "1e2", "٣", "99999999999999999999"])
async def test_a_limit_out_of_range_is_told(limit: str) -> None:
    answer = await call(path=f"/-/decisions?limit={limit}")
    assert (answer.status, answer.code) == (400, "invalid_limit")


async def test_an_unknown_parameter_is_told() -> None:
    assert (await call(path="/-/decisions?limt=5")).code == "unknown_parameter"


async def test_an_unknown_path_lists_the_known_ones() -> None:
    answer = await call(path="/-/saving")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "/-/savings" in answer.json["error"]["message"]


async def test_a_wrong_method_names_the_right_one() -> None:
    posted = await call(method="POST", path="/metrics")
    assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
    got = await call(path="/-/purge")
    assert (got.status, got.headers["allow"]) == (405, "POST")


async def test_head_has_no_body_but_its_length() -> None:
    head, whole = await call(method="HEAD", path="/console"), await call(path="/console")
    assert head.body == b""
    assert head.headers == whole.headers
    assert int(head.headers["content-length"]) == len(whole.body) > 1000


async def test_the_page_may_load_nothing_foreign() -> None:
    scripts = ("console", "charts", "format", "page", "reuse")
    for path in ("/console", *(f"/console/{name}.js" for name in scripts), "/console/console.css"):
        answer = await call(path=path)
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"http://" not in (await call(path="/console/console.js")).body
    assert (await call(path="/")).headers["location"] == "console"


async def test_purge_by_what_is_given() -> None:
    gateway = Gateway()
    answer = await call(Admin(gateway), "POST", "/-/purge", body=b'{"policy": "keep", "tenant": "acme"}', headers=JSON)
    assert (answer.status, answer.json) == (200, {"purged": 3})
    assert gateway.purged == [{"policy": "keep", "tenant": "acme", "entry": None}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[]", "invalid_purge"),
        (b"{}", "invalid_purge"),
        (b'{"polcy": "keep"}', "unknown_field"),
        (b'{"policy": 3}', "invalid_value"),
        (b'{"policy": ""}', "invalid_value"),
        (b'{"policy": null}', "invalid_value"),
    ],
)
async def test_a_bad_purge_purges_nothing(body: bytes, code: str) -> None:
    gateway = Gateway()
    answer = await call(Admin(gateway), "POST", "/-/purge", body=body, headers=JSON)
    assert (answer.status, answer.code, gateway.purged) == (400, code, [])


async def test_a_huge_body_is_refused() -> None:
    answer = await call(method="POST", path="/-/purge", body=b"{" * 70_000, headers=JSON)
    assert answer.status == 413


async def test_a_batch_of_answers_is_handed_on_and_needs_its_policy_and_intent() -> None:
    gateway = Gateway()
    path, body = "/-/import?policy=keep", b"{}\n{}"
    assert (await call(Admin(gateway), "POST", path, body=body, headers=JSON)).json["stored"] == 1
    assert gateway.brought == [("keep", body)]
    assert (await call(Admin(gateway), "POST", path, body=body)).code == "intent_not_shown"
    for query, code in (("", "missing_policy"), ("?policy=", "missing_policy"), ("?polcy=a", "unknown_parameter")):
        assert (await call(Admin(gateway), "POST", "/-/import" + query, body=body, headers=JSON)).code == code
    got = await call(path=path)
    assert (got.status, got.headers["allow"]) == (405, "POST")


async def test_an_export_comes_line_by_line_and_says_where_it_breaks() -> None:
    whole = await call(path="/-/export?policy=keep")
    assert whole.headers["content-type"] == "application/x-ndjson"
    assert [orjson.loads(line)["key"] for line in whole.body.splitlines()] == ["0", "1", "2"]
    *lines, last = (await call(path="/-/export?policy=breaks")).body.splitlines()
    assert (len(lines), orjson.loads(last)["error"]["code"]) == (2, "store_unavailable")
    refused = await call(path="/-/export?policy=elsewhere")
    assert (refused.status, refused.code) == (503, "store_unavailable")
    assert (await call(method="HEAD", path="/-/export?policy=keep")).body == b""
