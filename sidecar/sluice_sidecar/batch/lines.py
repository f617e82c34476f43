"""A batch's input, line by line: what is queued of it, or what is wrong with it. Reads a file, blocks."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.prefix import prefix_key
from sluice_sidecar.batch.records import Entry, Kind

LINES = 50_000
"""Most requests of one batch, OpenAI's own bound."""
TOLD = 100
"""Most mistakes that are told of one file."""

Find = Callable[[str], str]
"""The route of a model name; raises Problem."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake in the shape in which OpenAI tells it; `line` from 1."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None

    def shown(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class _Bad(Exception):  # noqa: N818  (it says what a line is)
    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def read(path: Path, kind: Kind, endpoint: str, find: Find) -> tuple[list[Entry], list[Wrong]]:
    """Every request of a file, in its order, and what is wrong with it: with one mistake nothing is to be queued."""
    entries: list[Entry] = []
    wrong: list[Wrong] = []
    seen: dict[str, int] = {}
    models: set[str] = set()
    for number, offset, raw in _raw_lines(path):
        if len(entries) >= LINES:
            return [], [Wrong("too_many_requests", f"A batch has at most {LINES} requests; split the file.", number)]
        try:
            custom_id, body = _openai(raw, endpoint) if kind == "openai" else _params(raw)
            first = seen.setdefault(custom_id, number)
            if first != number:
                message = f"The custom_id {custom_id[:64]!r} of line {first} comes again: each must be its own."
                raise _Bad("duplicate_custom_id", message, "custom_id")
            model = body.get("model")
            if not isinstance(model, str) or not model:
                raise _Bad("missing_required_parameter", "The body names no model.", "body.model")
            models.add(model)
            if kind == "openai" and len(models) > 1:
                message = f"Line {number} asks {model[:80]!r}: all requests of a batch ask one model. Split the file."
                raise _Bad("mismatched_model", message, "body.model")
            route = _route(find, model, must=kind == "openai")
            entries.append(Entry(number - 1, custom_id, offset, len(raw), route, prefix_key(body)))
        except _Bad as bad:
            wrong.append(Wrong(bad.code, bad.message, number, bad.param))
            if len(wrong) >= TOLD:
                break
    if not entries and not wrong:
        wrong.append(Wrong("empty_file", "The file has no request: write one JSON object a line."))
    return ([], wrong) if wrong else (entries, [])


def _route(find: Find, model: str, *, must: bool) -> str:
    """Anthropic tells of an unknown model in the request's own result, OpenAI refuses the file."""
    try:
        return find(model)
    except Problem as problem:
        if must or problem.status != 404:  # a window that takes nothing in is not the model's fault
            raise _Bad(problem.code, problem.message, "body.model") from None
        return ""


def _raw_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number from 1, offset and bytes of every line that is not blank."""
    offset = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if raw.strip():
                yield number, offset, raw.rstrip(b"\r\n")
            offset += len(raw)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        line = orjson.loads(raw)
    except ValueError:
        raise _Bad("invalid_json_line", "This line is not parseable as valid JSON.") from None
    if not isinstance(line, dict):
        raise _Bad("invalid_json_line", "This line is not a JSON object.")
    return line


def _custom_id(line: dict[str, Any]) -> str:
    custom_id = line.get("custom_id")
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= 512:
        raise _Bad("missing_required_parameter", "custom_id: a text of 1 to 512 characters belongs here.", "custom_id")
    return custom_id


def _openai(raw: bytes, endpoint: str) -> tuple[str, dict[str, Any]]:
    line = _object(raw)
    custom_id = _custom_id(line)
    if line.get("method") != "POST":
        raise _Bad("invalid_method", 'method: "POST" belongs here.', "method")
    if line.get("url") != endpoint:
        message = (
            f"url: {str(line.get('url'))[:80]!r} is not the batch's endpoint {endpoint}: a batch has one endpoint."
        )
        raise _Bad("mismatched_endpoint", message, "url")
    body = line.get("body")
    if not isinstance(body, dict):
        raise _Bad("missing_required_parameter", "body: an object belongs here, as it would be sent.", "body")
    return custom_id, body


def _params(raw: bytes) -> tuple[str, dict[str, Any]]:
    line = _object(raw)
    custom_id, params = _custom_id(line), line.get("params")
    if not isinstance(params, dict):
        raise _Bad("missing_required_parameter", "params: an object belongs here, as it would be sent.", "params")
    return custom_id, params


def first_model(path: Path) -> object:
    """What the first request of a file asks; None where it cannot be read. Reads one line, blocks."""
    try:
        _, _, raw = next(_raw_lines(path))
        return orjson.loads(raw)["body"]["model"]
    except (OSError, StopIteration, ValueError, TypeError, KeyError):
        return None


def request_body(path: Path, offset: int, length: int, kind: Kind) -> bytes:
    """The body of a request whose line lies there, to be answered whole. Raises OSError, ValueError."""
    with path.open("rb") as file:
        file.seek(offset)
        line = orjson.loads(file.read(length))
    return whole(line["body" if kind == "openai" else "params"])


def whole(body: dict[str, Any]) -> bytes:
    """A body without what asks for a stream: nobody reads it as it comes."""
    return orjson.dumps({name: value for name, value in body.items() if name not in ("stream", "stream_options")})
