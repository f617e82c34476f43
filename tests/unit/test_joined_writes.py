"""Head and body leave in one write, and nothing is held back that has nothing behind it."""

import asyncio

from sluice_sidecar.joined import JoinedWrites


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


def test_head_and_body_are_one_write() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert wire.writes == []
    joined.write(b"body")
    joined.write(b"more")
    assert wire.writes == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more"]


def test_a_head_alone_leaves_when_the_answer_is_complete() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    joined.flush()
    joined.flush()
    assert wire.writes == [b"HTTP/1.1 204 No Content\r\n\r\n"]


def test_a_head_alone_leaves_before_the_connection_closes() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    joined.close()
    assert wire.writes == [b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    assert joined.is_closing()


def test_who_waits_for_100_continue_gets_it_at_once() -> None:
    wire = Wire()
    JoinedWrites(wire).write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert wire.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]


def test_a_body_that_looks_like_a_head_is_lost_nowhere() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    for part in (b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 is a protocol", b"HTTP/1.1 again"):
        joined.write(part)
    joined.flush()
    assert b"".join(wire.writes) == b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 is a protocolHTTP/1.1 again"
