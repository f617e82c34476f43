"""One connection, byte by byte, without a network: what cannot be timed through one."""

import asyncio
import gc

import pytest

from sluice_sidecar.upstream.connection import HEAD_LIMIT, Connection
from sluice_sidecar.upstream.deadlines import Deadlines
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.response import Response

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


class Line:
    """A connected connection, its wire and its pool."""

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.deadlines = Deadlines(asyncio.get_running_loop())
        self.connection = Connection("http://x:80", self.idle, 15.0, self.deadlines)
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.end = asyncio.get_running_loop().time() + 60

    def begin(self) -> asyncio.Future[Response]:
        return self.connection.begin(b"GET", False, self.end, self.end)


@pytest.fixture
async def line() -> Line:
    """A fresh line."""
    return Line()


async def test_leaving_an_answered_call_does_not_abort_the_next_one(line: Line) -> None:
    first = line.begin()
    line.connection.data_received(OK)
    assert line.idle.pop() is line.connection
    second = line.begin()
    line.connection.leave(first)  # its caller is cancelled in the very turn in which its answer came
    assert not line.wire.aborted
    line.connection.data_received(OK)
    assert await (await second).read(2) == b"ok"


async def test_leaving_a_call_whose_head_has_just_come_aborts_it(line: Line) -> None:
    waiter = line.begin()
    line.connection.data_received(CHUNKED)
    line.connection.leave(waiter)
    assert line.wire.aborted
    assert line.idle == []


async def test_leaving_a_call_whose_head_comes_a_moment_later_aborts_it(line: Line) -> None:
    waiter = line.begin()
    waiter.cancel()  # what cancelling the task does at once; the task itself runs later
    line.connection.data_received(CHUNKED)
    line.connection.leave(waiter)
    assert line.wire.aborted
    assert line.idle == []


async def test_leaving_a_call_that_has_just_failed_is_quiet(line: Line) -> None:
    said: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["message"]))
    waiter = line.begin()
    line.connection.connection_lost(None)
    line.connection.leave(waiter)
    del waiter
    line.connection.begin(b"GET", False, line.end, line.end).cancel()  # the line holds the latest call only
    gc.collect()
    assert said == []


async def test_framing_between_pieces_of_a_long_body_is_not_too_much(line: Line) -> None:
    waiter = line.begin()
    line.connection.data_received(CHUNKED)
    size = HEAD_LIMIT + 1
    for _ in range(3):
        line.connection.data_received(b"%x\r\n" % size)
        line.connection.data_received(b"x" * size)
        line.connection.data_received(b"\r\n")
    line.connection.data_received(b"0\r\n\r\n")
    assert await (await waiter).read(4 * size) == b"x" * 3 * size
    assert line.idle == [line.connection]


async def test_a_request_and_its_body_are_one_write(line: Line) -> None:
    line.connection.begin(b"POST / HTTP/1.1\r\n\r\nbody", False, line.end, line.end)
    assert line.wire.written == [b"POST / HTTP/1.1\r\n\r\nbody"]


async def test_a_response_has_one_reader(line: Line) -> None:
    waiter = line.begin()
    line.connection.data_received(CHUNKED)
    response = await waiter
    reading = asyncio.ensure_future(response.read(10))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await response.read(10)
    line.connection.fail(UpstreamError("over"))
    with pytest.raises(UpstreamError, match="over"):
        await reading


async def test_what_came_before_a_failure_is_still_given_out(line: Line) -> None:
    waiter = line.begin()
    line.connection.data_received(CHUNKED + b"4\r\nhalf\r\n")
    response = await waiter
    line.connection.connection_lost(None)
    assert await anext(response) == b"half"
    with pytest.raises(UpstreamError, match="in the middle of its answer"):
        await anext(response)
