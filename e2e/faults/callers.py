"""Callers that hand requests over, repeat what was not answered, and fetch results again and again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson

from e2e.faults.history import Acknowledged, Asked, Event, Read, Refused, Wire, custom_id

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages/batches"
PATIENCE = 240.0
"""Seconds for one submission or one result: a webhook's lease is 120 s, an error of a gateway is tried again later."""
PAUSE = 0.05


class Callers:
    """Callers of the gateway whose address `url` gives; what they see goes into `history`."""

    def __init__(self, url: Callable[[], str], history: list[Event], chance: random.Random, hook: str) -> None:
        self._url, self._history, self._chance, self._hook = url, history, chance, hook
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False)
        self.acknowledged: dict[str, Asked] = {}
        """Id -> submission."""
        self._submitted = 0

    async def close(self) -> None:
        await self._http.aclose()

    def generate(self) -> Asked:
        """The next submission, by chance."""
        self._submitted += 1
        wire: Wire = self._chance.choice(("file", "messages", "single", "single"))
        count = 1 if wire == "single" else self._chance.randint(1, 12)
        key = f"{wire}-{self._submitted}"
        asks = tuple(f"{key}/{at}" for at in range(count))
        return Asked(key, wire, asks, told=self._chance.random() < 0.5)

    async def submit(self, asked: Asked) -> None:
        """Hands one over, as often as it takes to be acknowledged; now and then once more after that."""
        self._history.append(asked)
        headers = {"idempotency-key": asked.key}
        if asked.told:
            headers["x-sluice-webhook"] = self._hook
        again = self._chance.random() < 0.25
        if asked.wire == "file":
            name = await self._id(asked, self._upload(asked))
            if name is None:
                return
            body: dict[str, Any] = {"input_file_id": name, "endpoint": CHAT, "completion_window": "24h"}
            path = "/v1/batches"
        elif asked.wire == "messages":
            requests = [
                {"custom_id": custom_id(at), "params": {**_body(ask, "claude"), "max_tokens": 16}}
                for at, ask in enumerate(asked.asks)
            ]
            body, path = {"requests": requests}, MESSAGES
        else:
            body, path = _body(asked.asks[0]), CHAT
            headers["prefer"] = "respond-async"
        content = orjson.dumps(body)
        for _ in range(1 + again):
            id_ = await self._id(asked, self._posting(path, content=content, headers=headers))
            if id_ is None:
                return
            self._history.append(Acknowledged(asked.key, id_))
            self.acknowledged[id_] = asked

    def _upload(self, asked: Asked) -> Callable[[], Awaitable[httpx.Response]]:
        lines = [
            {"custom_id": custom_id(at), "method": "POST", "url": CHAT, "body": _body(ask)}
            for at, ask in enumerate(asked.asks)
        ]
        content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        return self._posting("/v1/files", files={"file": ("asks.jsonl", content)}, data={"purpose": "batch"})

    def _posting(self, path: str, **more: Any) -> Callable[[], Awaitable[httpx.Response]]:
        return lambda: self._http.post(self._url() + path, **more)

    async def _id(self, asked: Asked, send: Callable[[], Awaitable[httpx.Response]]) -> str | None:
        """The id in the answer; None: it was refused."""
        answer = await answered(send)
        if answer.is_success:
            return str(answer.json()["id"])
        self._history.append(Refused(asked.key, answer.status_code, answer.text[:200]))
        return None

    async def results(self, id_: str, *, wait: bool) -> bool:
        """Fetches a submission's results, and whether there are some; `wait`: until there are."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answers = await self._answers(id_, self.acknowledged[id_])
            except _Unknown:
                return False
            if answers is not None:
                self._history.append(Read(id_, answers))
                return True
            if not wait or time.monotonic() > until:
                return False
            await asyncio.sleep(PAUSE)

    async def _answers(self, id_: str, asked: Asked) -> tuple[tuple[str, str], ...] | None:
        if asked.wire == "single":
            answer = await self._get(asked, f"/v1/deferred/{id_}/result")
            if answer.status_code == 202:
                return None
            return ((custom_id(0), _said(answer.json())),)
        if asked.wire == "messages":
            answer = await self._get(asked, f"{MESSAGES}/{id_}")
            if answer.json()["processing_status"] != "ended":
                return None
            answer = await self._get(asked, f"{MESSAGES}/{id_}/results")
            lines = [orjson.loads(line) for line in answer.content.splitlines()]
            return tuple((line["custom_id"], _said(line["result"].get("message"))) for line in lines)
        answer = await self._get(asked, f"/v1/batches/{id_}")
        if answer.json()["status"] not in ("completed", "failed", "expired", "cancelled"):
            return None
        found: list[tuple[str, str]] = []
        for name in ("output_file_id", "error_file_id"):
            if file := answer.json()[name]:
                content = await self._get(asked, f"/v1/files/{file}/content")
                lines = [orjson.loads(line) for line in content.content.splitlines()]
                found += [(line["custom_id"], _said((line["response"] or {}).get("body"))) for line in lines]
        return tuple(found)

    async def _get(self, asked: Asked, path: str) -> httpx.Response:
        """Raises _Unknown where what was acknowledged is not known, or has an error."""
        answer = await answered(lambda: self._http.get(self._url() + path))
        if answer.is_success:
            return answer
        self._history.append(Refused(asked.key, answer.status_code, f"{path}: {answer.text[:200]}"))
        raise _Unknown


class _Unknown(Exception):  # noqa: N818  (it says what the batch is)
    """The gateway has no result of what it acknowledged, and will have none."""


async def answered(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The first answer that is one. A gateway that is killed gives none, and one that ends may say 500: what was asked
    is done then, or not, and asked again, as SDKs do."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = await send()
                if answer.status_code < 500:
                    return answer
            except httpx.TransportError:
                pass
            await asyncio.sleep(PAUSE)


def _body(ask: str, model: str = "auto") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": ask}]}


def _said(body: Any) -> str:
    """The text of an answer by either wire; an error's own words where it is one."""
    try:
        return str(body["choices"][0]["message"]["content"])
    except (KeyError, TypeError):
        try:
            return str(body["content"][0]["text"])
        except (KeyError, TypeError):
            return str(body)
