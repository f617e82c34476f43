"""A model's server for the cluster's tests: /NAME/v1/chat/completions answers with NAME alone, whole or streamed."""

import json
import re
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = re.compile(r"/(?P<name>[a-z0-9-]+)/v1/chat/completions")
EVENTS = 4
"""Of a streamed answer. A question of the form "N events" gets N, one each EVERY seconds."""
EVERY = 0.1


class Answers(BaseHTTPRequestHandler):
    """OpenAI's dialect, as far as the tests need it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = PATH.fullmatch(self.path)
        if found is None:
            self.send_error(404)
            return
        about = {"id": "chatcmpl-1", "created": int(time.time()), "model": asked["model"]}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": found["name"]}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({**about, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        many = re.match(r"(\d+) events", str(asked["messages"][-1]["content"]))
        for _ in range(int(many[1]) if many else EVENTS):
            self._event({**about, "object": "chat.completion.chunk", "choices": [self._delta(found["name"], None)]})
            time.sleep(EVERY if many else 0.0)
        self._event({**about, "object": "chat.completion.chunk", "choices": [self._delta(None, "stop")]})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def log_message(self, *_: object) -> None:
        """No line a request."""

    @staticmethod
    def _delta(text: str | None, finish: str | None) -> dict[str, object]:
        return {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}

    def _event(self, event: dict[str, object]) -> None:
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ThreadingHTTPServer(("", 8000), Answers).serve_forever()
