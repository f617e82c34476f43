"""How many tokens a text is: by the backend's own tokenizer where one can be asked, else an estimate, marked as one.

llama.cpp and vLLM answer POST /tokenize beside their /v1; OpenAI's encodings come from `bpe_openai` where it is
installed. Both are asked off the requests' path, once a text; until then, and for all others, the estimate stands:
four bytes of UTF-8 a token, as the ledger has it for answers whose upstream tells no count.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import orjson

from sluice_sidecar.audit.model import digest
from sluice_sidecar.config import Backend
from sluice_sidecar.ledger.ledger import CHARS_PER_TOKEN
from sluice_sidecar.upstream.client import Client
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.upstream.request import Timeouts, parse_url

TIMEOUTS = Timeouts(connect=1.0, first_byte=5.0, total=10.0)
REST = 60.0
"""Seconds for which an address is left alone that could not be asked."""
ANSWER = 33_554_432
"""Largest answer that is read, bytes: engines list every token."""
_KEPT = 4096

log = logging.getLogger("sluice.audit")


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a text. `exact`: by the model's own tokenizer."""

    tokens: int
    exact: bool


def estimated(text: str) -> Count:
    """What is said while nothing better is known."""
    return Count(-(-len(text.encode("utf-8", "surrogatepass")) // CHARS_PER_TOKEN), False)


class Tokens:
    """Counts by backend and text. `addresses` gives the base URLs at which a backend answers now."""

    def __init__(self, client: Callable[[], Client], addresses: Callable[[Backend], Sequence[str]]) -> None:
        self._client, self._addresses = client, addresses
        self._known: dict[tuple[str, str], Count] = {}
        self._silent: dict[str, float] = {}
        """Base URL -> until when it is not asked: for good where there is no /tokenize."""

    def count(self, backend: Backend, text: str) -> Count:
        """What is known now; it costs no call."""
        return self._known.get((backend.name, digest(text))) or estimated(text)

    async def learn(self, backend: Backend, text: str) -> Count:
        """Asks whoever knows, once a text; off the path. Never raises: the estimate stays where nobody does."""
        key = backend.name, digest(text)
        known = self._known.get(key)
        if known is not None:
            return known
        found = await self._asked(backend, text)
        if found is None:
            found = await asyncio.to_thread(_by_library, backend.model or "", text)
        if found is None:
            return estimated(text)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = Count(found, True)
        return self._known[key]

    async def _asked(self, backend: Backend, text: str) -> int | None:
        if "openai" not in backend.families or backend.credential is not None:  # a key is the router's to hand out
            return None
        for url in self._addresses(backend):
            if self._silent.get(url, 0.0) > time.monotonic():
                continue
            self._silent[url] = time.monotonic() + REST
            try:
                found = await self._tokenized(url, backend.model, text)
            except (UpstreamError, ValueError) as error:
                log.debug("tokens could not be counted by the backend %s: %s", backend.name, error)
                continue
            if found is not None:
                del self._silent[url]
                return found
            self._silent[url] = math.inf
        return None

    async def _tokenized(self, url: str, model: str | None, text: str) -> int | None:
        """Raises UpstreamError, ValueError. llama.cpp reads `content`, vLLM `prompt`."""
        origin, path = parse_url(url.removesuffix("/").removesuffix("/v1"))
        body = orjson.dumps({"content": text, "prompt": text, "model": model, "add_special_tokens": False})
        headers = [(b"content-type", b"application/json")]
        response = await self._client().send(origin, b"POST", path + b"/tokenize", headers, body, TIMEOUTS)
        whole = await response.read(ANSWER)
        return _counted(orjson.loads(whole)) if response.status == 200 else None


def _counted(answer: Any) -> int | None:
    if not isinstance(answer, dict):
        return None
    count, tokens = answer.get("count"), answer.get("tokens")
    if isinstance(count, int):
        return count
    return len(tokens) if isinstance(tokens, list) else None


def _by_library(model: str, text: str) -> int | None:
    encode = _encoding(model)
    return None if encode is None else len(encode(text))


@cache
def _encoding(model: str) -> Callable[[str], Sequence[int]] | None:
    """OpenAI's own encoding of a model, where `bpe_openai` is installed: it brings its tables along."""
    try:
        library = import_module("bpe_openai")
        encode: Callable[[str], Sequence[int]] = library.encoding_for_model(model).encode_ordinary
    except Exception:  # it is not installed, or the model is none of OpenAI's
        return None
    return encode
