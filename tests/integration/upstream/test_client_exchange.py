"""What goes out is what was asked, and every legal way to frame an answer is understood."""

import pytest

from doubles.calls import PATIENT, get, post
from doubles.raw_server import OK, Peer, RawServer, always, once
from sluice_sidecar.upstream.client import Client, TooLarge


async def test_a_request_arrives_as_given(client: Client) -> None:
    bodies: list[bytes] = []

    async def handler(peer: Peer) -> None:
        bodies.append((await peer.request())[1])
        await peer.send(OK)

    async with RawServer(handler) as server:
        headers = [(b"X-Trace", b"1"), (b"x-trace", b"2"), (b"Host", b"evil"), (b"Content-Length", b"9")]
        response = await client.send(server.origin, b"POST", b"/v1/chat?x=%20", headers, b'{"a":1}', PATIENT)
        assert await response.read(10) == b"ok"
        (head,) = server.peers[0].heads
    assert head == (
        b"POST /v1/chat?x=%%20 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nX-Trace: 1\r\nx-trace: 2\r\ncontent-length: 7\r\n\r\n"
        % server.port
    )
    assert bodies == [b'{"a":1}']


async def test_headers_keep_order_repeats_and_bytes(client: Client) -> None:
    answer = b"HTTP/1.1 404 Nope\r\nSet-Cookie: a\r\nX: \xe9\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(always(answer)) as server:
        response = await get(client, server.origin)
    assert response.status == 404
    assert response.headers == [
        (b"set-cookie", b"a"),
        (b"x", b"\xe9"),
        (b"set-cookie", b"b"),
        (b"content-length", b"0"),
    ]
    assert response.header(b"set-cookie") == b"a"
    assert response.header(b"absent") is None


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=1\r\nllo\r\n0\r\nt: 1\r\n\r\n",
            b"hello",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + OK, b"ok"),
    ],
    ids=["content-length", "chunked", "204", "304", "1xx first"],
)
async def test_framed_answers_keep_the_connection(client: Client, answer: bytes, body: bytes) -> None:
    async with RawServer(always(answer)) as server:
        for _ in range(3):
            assert await (await get(client, server.origin)).read(10) == body
        assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b""),
    ],
    ids=["until close", "HTTP/1.0 until close", "nothing until close"],
)
async def test_a_body_may_end_with_the_connection(client: Client, answer: bytes, body: bytes) -> None:
    async with RawServer(once(answer)) as server:
        for _ in range(2):
            assert await (await get(client, server.origin)).read(10) == body
        assert len(server.peers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more than was said",
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond",
    ],
    ids=["connection: close", "HTTP/1.0", "longer than its length", "an answer too many"],
)
async def test_a_connection_is_not_used_again_after(client: Client, answer: bytes) -> None:
    async with RawServer(always(answer)) as server:
        for count in (1, 2):
            assert await (await get(client, server.origin)).read(10) == b"ok"
            assert len(server.peers) == count


async def test_the_answer_to_head_has_no_body(client: Client) -> None:
    async with RawServer(always(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")) as server:
        response = await client.send(server.origin, b"HEAD", b"/", [], b"", PATIENT)
        assert response.header(b"content-length") == b"500"
        assert await response.read(0) == b""


async def test_an_answer_in_single_bytes_is_the_same(client: Client) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        for at in range(len(OK)):
            await peer.send(OK[at : at + 1])

    async with RawServer(handler) as server:
        response = await get(client, server.origin)
        assert (response.status, await response.read(2)) == (200, b"ok")


@pytest.mark.parametrize("answer", [OK, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"], ids=["whole", "unfinished"])
async def test_a_body_beyond_the_limit_is_refused(client: Client, answer: bytes) -> None:
    async with RawServer(always(answer)) as server:
        response = await get(client, server.origin)
        with pytest.raises(TooLarge, match="1") as caught:
            await response.read(1)
        assert not caught.value.before_head


async def test_headers_of_an_upgrade_that_nobody_asked_for_do_no_harm(client: Client) -> None:
    answer = b"HTTP/1.1 200 OK\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 2\r\n\r\nok"
    async with RawServer(always(answer)) as server:
        assert await (await post(client, server.origin)).read(2) == b"ok"
