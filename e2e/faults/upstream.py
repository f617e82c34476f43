"""The two servers that a run needs: a model that never answers twice alike, and a receiver that verifies."""

import asyncio
import base64
from types import TracebackType
from typing import Self

import openai
import orjson

from doubles.behaviours import text
from doubles.raw_server import Peer, RawServer
from doubles.scripted import Behaviour, Call, Scripted
from e2e.faults.history import Event, Told
from sluice_sidecar.batch.webhooks import Key

KEY = Key(bytes(range(32)))
SECRET = "whsec_" + base64.b64encode(KEY.secret).decode()
_TAKEN = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


def numbered(up: Scripted, seconds: float = 0.05) -> Behaviour:
    """Answers "NUMBER ASK", where NUMBER counts calls: two runs of one request never have the same answer."""

    async def behave(call: Call) -> None:
        said = call.request.json["messages"][-1]["content"]
        number = up.count
        await asyncio.sleep(seconds)
        await text(f"{number} {said}")(call)

    return behave


class Receiver:
    """Takes webhooks into `history`, with what OpenAI's SDK says of their signatures."""

    def __init__(self, history: list[Event]) -> None:
        self._history = history
        self._server = RawServer(self._handle)
        self._sdk = openai.OpenAI(api_key="none")
        self.batches: set[str] = set()
        """Ids of which a webhook came."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/hook"

    async def _handle(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            lines = (line.partition(":") for line in head.decode().split("\r\n")[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in lines}
            try:
                self._sdk.webhooks.verify_signature(body, headers, secret=SECRET)
                verified = True
            except (openai.InvalidWebhookSignatureError, ValueError):
                verified = False
            id_ = orjson.loads(body)["data"]["id"]
            self._history.append(Told(headers.get("webhook-id", ""), id_, body.decode(), verified))
            self.batches.add(id_)
            await peer.send(_TAKEN)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sdk.close()
        await self._server.__aexit__(kind, error, trace)
