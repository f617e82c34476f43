"""Asks one backend of a route over OpenAI's wire: answers for samples, and a judge's verdicts."""

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from sluice_sidecar.audit.asking import Exhausted, Prices
from sluice_sidecar.audit.model import Answer, Busy, Sample, Unanswered
from sluice_sidecar.config import Backend
from sluice_sidecar.credentials import SecretSource

LATER = 2.0
"""Seconds until a busy backend that names no time is asked again."""
_FAULTS = frozenset({401, 403, 404, 405})
"""Statuses that asking again does not mend."""


class Unusable(Exception):  # noqa: N818  (a setting of the user's)
    """The backend cannot be asked at all; the message says why, and how to mend it."""


class Unreachable(Busy):
    """The backend does not answer; it is asked again, a few times."""

    def __init__(self, backend: str, why: str) -> None:
        super().__init__(LATER)
        self._text = f"backend {backend} cannot be reached: {why}"

    def __str__(self) -> str:
        return self._text


@dataclass(slots=True)
class Spending:
    """What a judge may spend beside the audit's own answers."""

    prices: Prices
    most: Decimal | None = None
    spent: Decimal = Decimal(0)
    calls: int = 0

    def afford(self) -> None:
        """Raises Exhausted."""
        if self.most is not None and self.spent >= self.most:
            raise Exhausted(f"the bound of {self.most} {self.prices.currency} is reached by the judge")

    def add(self, answer: Answer) -> None:
        """Counts one call."""
        self.calls += 1
        self.spent += self.prices.of(answer)


@dataclass(slots=True)
class Asker:
    """One backend. It is an Answerer; `complete` is what a Judge asks."""

    name: str
    url: str
    model: str
    client: httpx.AsyncClient = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    told: Callable[[], None] = lambda: None
    """Is called after every answer."""
    unanswered: int = 0
    why: str = ""
    """The last reason for an `unanswered` one."""

    async def __call__(self, prompt: str, sample: Sample) -> Answer:
        """Raises Busy, Unanswered, Unusable."""
        try:
            system = [{"role": "system", "content": prompt}] if prompt else []
            return await self._ask({**(sample.options or {}), "messages": [*system, *sample.messages]})
        except Unanswered as refused:
            self.unanswered, self.why = self.unanswered + 1, str(refused)
            raise
        finally:
            self.told()

    def judging(self, spending: Spending) -> Callable[[str, str], Any]:
        """What a Judge asks, within what may be spent. Raises Busy, Unanswered, Unusable, Exhausted."""

        async def complete(instructions: str, text: str) -> str:
            spending.afford()
            messages = [{"role": "system", "content": instructions}, {"role": "user", "content": text}]
            answer = await self._ask({"messages": messages, "temperature": 0})
            spending.add(answer)
            return answer.text

        return complete

    async def _ask(self, body: Mapping[str, Any]) -> Answer:
        began = time.perf_counter()
        content = json.dumps({**body, "model": self.model}).encode()  # ASCII: half of a surrogate pair is sent escaped
        try:
            response = await self.client.post(self.url, content=content, headers=dict(self.headers))
        except httpx.HTTPError as error:
            raise Unreachable(self.name, str(error) or type(error).__name__) from None
        if response.status_code == 429 or response.status_code >= 500:
            raise Busy(later(response.headers.get("retry-after"), time.time()))
        if response.status_code in _FAULTS:
            raise Unusable(f"backend {self.name} answers {response.status_code}: {_message(response)}")
        if response.status_code != 200:
            raise Unanswered(f"{response.status_code}: {_message(response)}")
        return read(response.content, time.perf_counter() - began)


def read(body: bytes, seconds: float) -> Answer:
    """An answer in OpenAI's shape; calls of tools as JSON. Raises Unanswered for a refusal, or what is no answer."""
    try:
        whole = json.loads(body)
        choice = whole["choices"][0]
        message = choice["message"]
        usage = whole.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        tokens = usage.get("prompt_tokens") or 0, details.get("cached_tokens") or 0, usage.get("completion_tokens") or 0
        text, calls, refusal = message.get("content"), message.get("tool_calls"), message.get("refusal")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise Unanswered("the backend's answer is not in OpenAI's shape") from None
    if refusal:
        raise Unanswered(f"refused: {refusal}")
    if choice.get("finish_reason") == "content_filter":
        raise Unanswered("held back by the provider's content filter")
    if calls:
        text = json.dumps([call.get("function") for call in calls if isinstance(call, dict)], ensure_ascii=False)
    return Answer(text if isinstance(text, str) else "", *tokens, seconds)


def later(header: str | None, now: float) -> float:
    """Seconds that a Retry-After header (RFC 9110, 10.2.3) asks to wait."""
    if header is None:
        return LATER
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return LATER


def _message(response: httpx.Response) -> str:
    try:
        told = response.json()["error"]
        return str(told["message"] if isinstance(told, dict) else told)[:300]
    except (ValueError, LookupError, TypeError):
        return response.text[:300].strip() or "no reason given"


def asker(backend: Backend, secrets: SecretSource, client: httpx.AsyncClient, model: str, at: str | None) -> Asker:
    """How a backend is asked; `model` is sent where it names none, `at` is where it is, in place of its own address.

    Raises Unusable.
    """
    if "openai" not in backend.families:
        raise Unusable(
            f"backend {backend.name} speaks Anthropic's dialect alone; an audit asks in OpenAI's, name another"
        )
    url = at or backend.url
    if url is None:
        raise Unusable(
            f"backend {backend.name} is the QuantisedModel {backend.managed}: start it with `sluice run` and say where "
            f"it listens with --at {backend.name}=http://127.0.0.1:PORT/v1"
        )
    headers = {"content-type": "application/json"}
    if backend.credential is not None:
        secret, key = backend.credential.secret, backend.credential.key
        value = secrets.get(secret, key)
        if value is None:
            raise Unusable(f"backend {backend.name} needs a key: set {secrets.where(secret, key)}")
        headers["authorization"] = f"Bearer {value}"
    return Asker(backend.name, f"{url.rstrip('/')}/chat/completions", backend.model or model, client, headers)


def prices(backend: Backend) -> Prices:
    """What a backend's calls cost; nothing where no price is given."""
    price = backend.price
    return Prices() if price is None else Prices(price.input, price.cached_input, price.output, price.currency)
