"""What the gateway needs to know of a wire format, and no more."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from sluice_sidecar.ask import Ask, Finish, Problem, Usage
from sluice_sidecar.config import Family
from sluice_sidecar.upstream.sse import Event


class Assembler(Protocol):
    """Builds the whole answer out of a stream's events."""

    def feed(self, event: Event) -> None:
        """Takes one event; malformed data raises ValueError."""

    @property
    def done(self) -> bool:
        """Whether the stream's own end was seen ([DONE], message_stop)."""

    def whole(self) -> dict[str, Any]:
        """The answer as the non-streamed call would have given it. Raises ValueError when nothing usable came."""


class Dialect(Protocol):
    """One endpoint's wire format."""

    name: ClassVar[str]
    family: ClassVar[Family]
    path: ClassVar[str]
    """Path under a backend's base URL, e.g. "/chat/completions"."""
    streams: ClassVar[bool]
    id_prefix: ClassVar[str]
    """How this endpoint's answer ids begin, e.g. "chatcmpl-"."""

    def parse(self, raw: bytes, body: dict[str, Any]) -> Ask:
        """Checks what the gateway relies on, raises Problem(400); every other field passes unread."""

    def skeleton(self, ask: Ask) -> dict[str, Any]:
        """What can change the answer: the body without transport fields, the text of `ask.text` replaced by a slot."""

    def upstream(self, ask: Ask, *, model: str | None, stream: bool, logprobs: bool) -> bytes:
        """The body to send: `ask.raw` itself when nothing differs. Streams always ask for usage."""

    def assembler(self) -> Assembler:
        """A fresh assembler for one stream."""

    def relay(self, ask: Ask, event: Event, *, logprobs: bool) -> bytes | None:
        """What of an upstream event the caller gets: its bytes, altered where we asked for more than the caller did
        (usage chunk; log-probs where `logprobs` says that we added them), or None for nothing."""

    def trim(self, ask: Ask, whole: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
        """The same for a whole answer."""

    def replay(self, ask: Ask, whole: dict[str, Any]) -> Sequence[bytes]:
        """A whole answer as a stream's frames, usage included where the caller asked for it, the end marker too."""

    def renewed(self, whole: dict[str, Any]) -> dict[str, Any]:
        """A copy with a fresh id and creation time: no two callers see one id."""

    def usage(self, whole: dict[str, Any]) -> Usage | None:
        """Token counts, where the answer tells."""

    def finish(self, whole: dict[str, Any]) -> Finish:
        """Why the answer ended."""

    def answer_text(self, whole: dict[str, Any]) -> str:
        """The answer's text, for checks; empty when it has none."""

    def saying(self, whole: dict[str, Any], text: str) -> dict[str, Any]:
        """A copy of `whole` whose answer is `text`, without the log-probs of what it said before."""

    def token_logprobs(self, whole: dict[str, Any]) -> list[float] | None:
        """Log-probability of each answer token, natural logarithm; None where the answer has none."""

    def event_logprobs(self, event: Event) -> list[float] | None:
        """The same for one event of a stream."""

    def failed(self, whole: dict[str, Any]) -> str | None:
        """The message of an error that came with status 200, if it is one."""

    def error(self, problem: Problem) -> bytes:
        """The error body in this dialect's shape."""

    def error_frame(self, problem: Problem) -> bytes:
        """The same as an SSE frame, for a stream that broke after its first byte."""
