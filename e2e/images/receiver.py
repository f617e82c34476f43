"""A receiver of webhooks with OpenAI's SDK: verifies the signature of each and prints what it told, a line each."""

import json
import os
import signal
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import InvalidWebhookSignatureError, OpenAI

CLIENT = OpenAI(api_key="none", webhook_secret=os.environ.get("WEBHOOK_SECRET", ""))


class Deliveries(BaseHTTPRequestHandler):
    """204 for what is signed, 401 for what is not."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = CLIENT.webhooks.unwrap(body, {name.lower(): value for name, value in self.headers.items()})
        except (InvalidWebhookSignatureError, ValueError) as problem:
            self._end(401, {"refused": type(problem).__name__})
            return
        self._end(204, {"id": self.headers["webhook-id"], "type": event.type, "batch": json.loads(body)["data"]["id"]})

    def log_message(self, *_: object) -> None:
        """No line a request but ours."""

    def _end(self, status: int, told: dict[str, str]) -> None:
        print(json.dumps(told), flush=True)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = ThreadingHTTPServer(("", 8443), Deliveries)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
