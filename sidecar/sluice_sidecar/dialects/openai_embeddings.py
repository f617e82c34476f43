"""OpenAI's embeddings: https://platform.openai.com/docs/api-reference/embeddings"""

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import orjson

from sluice_sidecar.ask import Ask, Finish, Problem, Usage
from sluice_sidecar.config import Family
from sluice_sidecar.dialects.counts import openai_usage
from sluice_sidecar.dialects.dialect import Assembler
from sluice_sidecar.dialects.fields import check_at_least, check_object, missing, model_of, wrong_type
from sluice_sidecar.dialects.frames import data_frame
from sluice_sidecar.dialects.identifiers import fresh
from sluice_sidecar.dialects.openai_errors import error_object, failure
from sluice_sidecar.dialects.splice import renamed, spliced
from sluice_sidecar.upstream.sse import Event

TRANSPORT: Final = frozenset({"user", "safety_identifier", "metadata", "service_tier"})
"""Fields that cannot change an embedding. All others are in."""


class OpenAIEmbeddings:
    """/v1/embeddings: never streamed, and near texts have different vectors, so only identical reuse."""

    __slots__ = ()
    name: ClassVar[str] = "openai_embeddings"
    family: ClassVar[Family] = "openai"
    path: ClassVar[str] = "/embeddings"
    streams: ClassVar[bool] = False
    id_prefix: ClassVar[str] = "embd-"

    def parse(self, raw: bytes, body: dict[str, Any]) -> Ask:
        """Checks what the gateway relies on, raises Problem(400); every other field passes unread."""
        check_object(body)
        model = model_of(body)
        given = body.get("input")
        if given is None:
            raise missing("input")
        if type(given) is not str and type(given) is not list:
            raise wrong_type("input", "a string, an array of strings or an array of tokens", given)
        if not given and type(given) is list:
            raise Problem(400, "empty_array", "Invalid 'input': expected at least one text.", param="input")
        check_at_least(body, "dimensions", 1)
        return Ask(dialect=self, raw=raw, body=body, model=model)

    def skeleton(self, ask: Ask) -> dict[str, Any]:
        """What can change the answer: all but TRANSPORT."""
        return {name: value for name, value in ask.body.items() if name not in TRANSPORT}

    def upstream(self, ask: Ask, *, model: str | None, stream: bool, logprobs: bool) -> bytes:
        """The body to send: `ask.raw` itself unless the model's name differs."""
        return spliced(ask.raw, ask.body, renamed(ask, model))

    def assembler(self) -> Assembler:
        """Raises TypeError: embeddings do not stream."""
        raise TypeError("embeddings do not stream")

    def relay(self, ask: Ask, event: Event, *, logprobs: bool) -> bytes | None:
        """The event's bytes, whatever they are."""
        return event.raw

    def trim(self, ask: Ask, whole: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
        """`whole` itself: nothing was added."""
        return whole

    def replay(self, ask: Ask, whole: dict[str, Any]) -> Sequence[bytes]:
        """Raises TypeError: embeddings do not stream."""
        raise TypeError("embeddings do not stream")

    def renewed(self, whole: dict[str, Any]) -> dict[str, Any]:
        """A copy with a fresh id and creation time where the server gives these (OpenAI does not, vLLM does)."""
        renewed = dict(whole)
        if "id" in renewed:
            renewed["id"] = fresh(renewed["id"], "embd-")
        if "created" in renewed:
            renewed["created"] = int(time.time())
        return renewed

    def usage(self, whole: dict[str, Any]) -> Usage | None:
        """Token counts, where the answer tells."""
        return openai_usage(whole)

    def finish(self, whole: dict[str, Any]) -> Finish:
        """Complete where there is data: a vector is never cut."""
        return "complete" if isinstance(whole.get("data"), list) else "unknown"

    def answer_text(self, whole: dict[str, Any]) -> str:
        """Empty: vectors have no text."""
        return ""

    def saying(self, whole: dict[str, Any], text: str) -> dict[str, Any]:
        """`whole` itself: vectors say nothing."""
        return whole

    def token_logprobs(self, whole: dict[str, Any]) -> list[float] | None:
        """None: vectors have no log-probs."""
        return None

    def event_logprobs(self, event: Event) -> list[float] | None:
        """None: vectors have no log-probs."""
        return None

    def failed(self, whole: dict[str, Any]) -> str | None:
        """The message of an error that came with status 200, if it is one."""
        return failure(whole)

    def error(self, problem: Problem) -> bytes:
        """The error body in OpenAI's shape."""
        return orjson.dumps(error_object(problem))

    def error_frame(self, problem: Problem) -> bytes:
        """The same as an SSE frame."""
        return data_frame(error_object(problem))


OPENAI_EMBEDDINGS: Final = OpenAIEmbeddings()
