"""A model that streams at once: `python -m bench.streams PORT`. One write an event, as engines do."""

import asyncio
import sys
from typing import cast

import httptools
import orjson
import uvloop

SENTENCE = "Open the sign-in page and choose Forgot password then follow the link we send you today"


def streaming_model(port: int) -> str:
    """Its base URL."""
    return f"http://127.0.0.1:{port}/v1"


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [choice]}
    return b"data: %b\n\n" % orjson.dumps(chunk)


EVENTS = [
    _event({"role": "assistant", "content": ""}),
    *(_event({"content": word + " "}) for word in SENTENCE.split(" ")),
    _event({}, "stop"),
    b"data: [DONE]\n\n",
]


class Stream(asyncio.Protocol):
    """Answers every request with EVENTS, each in its own chunk."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for event in EVENTS:
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


async def main(port: int) -> None:
    """Serves until killed."""
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
