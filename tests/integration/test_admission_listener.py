"""The operator's TLS server over real connections: reviews, wrong bodies, and a new certificate without a restart."""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from doubles.admission import PATCH, Served, admission_review, made, nobody, serving
from doubles.bound_tokens import pod
from doubles.running import PATIENCE
from sluice_operator.admission.review import Injection
from sluice_operator.admission.server import REVIEW_BYTES, AdmissionServer
from sluice_operator.admission.tls import Pair, ca_bundle
from sluice_operator.reports import Reports

REVIEW = admission_review(pod("app"))


async def failure(response: httpx.Response, status: int) -> str:
    """The error's text; every error is JSON."""
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/json")
    said: str = response.json()["error"]
    assert said
    return said


async def test_a_review_is_answered() -> None:
    async with serving() as served, served.client() as client:
        response = (await client.post("/inject", params={"timeout": "3s"}, json=REVIEW)).json()["response"]
        assert response["uid"] == REVIEW["request"]["uid"]
        assert json.loads(base64.b64decode(response["patch"])) == PATCH


async def test_a_standby_injects_and_sends_reports_elsewhere() -> None:
    async with serving(leads=False) as served, served.client() as client:
        assert (await client.post("/inject", json=REVIEW)).json()["response"]["allowed"] is True
        refused = await client.post("/v1/reports", json={}, headers={"authorization": "Bearer t"})
        assert "another replica leads" in await failure(refused, 503)
        assert refused.headers["connection"] == "close"


async def test_wrong_requests_get_a_clear_error_and_the_server_goes_on() -> None:
    async with serving() as served, served.client() as client:
        assert "not JSON" in await failure(await client.post("/inject", content=b"{"), 400)
        assert "no AdmissionReview" in await failure(await client.post("/inject", json={"kind": "Pod"}), 400)
        squeezed = {"content-encoding": "gzip"}
        await failure(await client.post("/inject", content=b"no gzip", headers=squeezed), 400)
        await failure(await client.get("/inject"), 405)
        await failure(await client.post("/elsewhere"), 404)
        large = b" " * (REVIEW_BYTES + 1)
        assert str(REVIEW_BYTES) in await failure(await client.post("/inject", content=large), 413)
        assert (await client.post("/inject", json=REVIEW)).status_code == 200


async def test_what_fails_inside_is_told_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_pod: Mapping[str, Any], _namespace: str) -> Injection:
        raise ZeroDivisionError("canary")

    async with serving(broken) as served, served.client() as client:
        assert "canary" not in await failure(await client.post("/inject", json=REVIEW), 500)
    assert "canary" in caplog.text


async def test_a_report_without_a_token_is_refused() -> None:
    async with serving(review=nobody) as served, served.client() as client:
        for headers in (
            {},
            {"authorization": "Basic abc"},
            {"authorization": "Bearer"},
            {"authorization": "Bearer x"},
        ):
            response = await client.post("/v1/reports", json={}, headers=headers)
            await failure(response, 401)
            assert response.headers["www-authenticate"] == "Bearer"
        assert served.changed == []


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with serving(patience=0.05) as served:
        context = ssl.create_default_context(cadata=ca_bundle(served.certificates))
        reader, writer = await asyncio.open_connection("localhost", served.port, ssl=context)
        writer.write(b"POST /inject HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()


async def presented(served: Served) -> bytes:
    """The certificate that a new connection gets, DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, ssl=context)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return found


async def test_a_new_certificate_is_served_without_a_restart_and_open_connections_go_on() -> None:
    fresh = made()
    async with serving() as served, served.client() as before, served.client(ca_bundle(fresh)) as after:
        assert (await before.post("/inject", json=REVIEW)).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await after.post("/inject", json=REVIEW)
        served.server.use(fresh.leaf)
        assert (await before.post("/inject", json=REVIEW)).status_code == 200
        assert (await after.post("/inject", json=REVIEW)).status_code == 200
        assert await presented(served) == ssl.PEM_cert_to_DER_cert(fresh.leaf.cert)


async def test_a_certificate_that_cannot_be_served_changes_nothing() -> None:
    async with serving() as served:
        other = made()
        for bad in (Pair(other.leaf.cert, other.authority.key), Pair("", other.leaf.key), Pair("", "")):
            with pytest.raises(ValueError, match="cannot be served"):
                served.server.use(bad)
        assert await presented(served) == ssl.PEM_cert_to_DER_cert(served.certificates.leaf.cert)


async def test_it_starts_only_with_a_certificate_and_on_a_free_port() -> None:
    reports = Reports(lambda _: None)
    with pytest.raises(RuntimeError, match="use"):
        await AdmissionServer(lambda *_: Injection(), reports, nobody).start("127.0.0.1", 0)
    async with serving() as served:
        second = AdmissionServer(lambda *_: Injection(), reports, nobody)
        second.use(served.certificates.leaf)
        with pytest.raises(OSError, match="address"):
            await second.start("127.0.0.1", served.port)


async def test_it_stops_although_a_peer_holds_its_connection() -> None:
    async with serving() as served:
        context = ssl.create_default_context(cadata=ca_bundle(served.certificates))
        reader, writer = await asyncio.open_connection("localhost", served.port, ssl=context)
        writer.write(b"GET /inject HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 405 ")
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()  # it will not see that the server leaves
        await asyncio.wait_for(served.server.stop(), PATIENCE)
        writer.transport.abort()
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", served.port)
