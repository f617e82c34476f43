"""Logs: one JSON object a line on stderr, or text for a person where stderr is a terminal.

Events go through the standard `logging` (loggers under "sluice", `extra={...}` for data). The access log, one line a
request, has its own cheap path: the request adds its Decision to a buffer, a thread writes it out.
No secret and, unless `log_prompts` is on, no prompt is ever written.
"""

import asyncio
import json
import logging
import re
import sys
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from sluice_sidecar.ledger.decision import Decision, text

HIDDEN = "[hidden]"
BUFFER = 50_000
"""Access lines that wait to be written; more are dropped and counted, a request never waits for a log."""
EVERY = 0.2
"""Seconds between writes of access lines."""

_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"})
"""What every record has; the rest is what `extra` gave. `color_message` is uvicorn's repetition of the message."""

_SECRET_NAMES = re.compile(r"(?i)authorization|api[-_]?key|secret|password|token$|cookie|credential")
_SECRET_TEXT = re.compile(
    r"(?i)((?:x-api-key|api[-_]key|authorization|password)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?"
    r"|\bbearer\s+|\bbasic\s+)[^\s\"',;]{4,}"
    r"|()\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}"
    r"|(://)[^/\s@]+@"
)


def hidden(message: str) -> str:
    """`message` with everything that looks like a key, a bearer token or a URL's user part taken out."""
    return _SECRET_TEXT.sub(
        lambda m: (m[1] or m[2] or m[3] or "") + HIDDEN + ("@" if m[3] else ""),
        message,
    )


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, Mapping):
        return {str(k): HIDDEN if _SECRET_NAMES.search(str(k)) else _safe(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return hidden(str(value))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = _safe({name: value for name, value in vars(record).items() if name not in _STANDARD})
    return found


def _json(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line).decode()
    except TypeError:
        # A number past 64 bits or a lone surrogate: the standard library writes those too.
        return json.dumps(line)


class JsonFormatter(logging.Formatter):
    """{"time", "level", "logger", "event", fields..., "exception"}."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": hidden(record.getMessage()),
        }
        for name, value in _fields(record).items():
            line.setdefault(name, value)
        if record.exc_info:
            line["exception"] = hidden(self.formatException(record.exc_info))
        return _json(line)


class TextFormatter(logging.Formatter):
    """`12:00:00 warning sluice.ledger: message  name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback if there is one."""
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{moment} {record.levelname.lower():7} {record.name}: {hidden(record.getMessage())}"
        line += "".join(f"  {name}={value}" for name, value in _fields(record).items())
        if record.exc_info:
            line += "\n" + hidden(self.formatException(record.exc_info))
        return line


def setup(level: int | str = logging.INFO, *, human: bool | None = None, stream: TextIO | None = None) -> None:
    """Sends all logging to `stream` (stderr). `human`: text instead of JSON; None: where the stream is a terminal."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if _is_human(human, stream) else JsonFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def _is_human(human: bool | None, stream: TextIO) -> bool:
    return stream.isatty() if human is None else human


class AccessLog:
    """One line a request. `enabled` False writes nothing; `log_prompts` follows the served Config."""

    def __init__(self, *, enabled: bool = True, human: bool | None = None, stream: TextIO | None = None) -> None:
        self.enabled, self.log_prompts = enabled, False
        self._stream = stream or sys.stderr
        self._format = _as_text if _is_human(human, self._stream) else _as_json
        self._waiting: deque[tuple[Decision, str | None]] = deque()
        self._dropped = 0
        self._thread: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None

    def write(self, decision: Decision, prompt: str | None = None) -> None:
        """Takes a recorded decision; `prompt` is kept only while `log_prompts` is on."""
        if not self.enabled:
            return
        if len(self._waiting) >= BUFFER:
            self._dropped += 1
            return
        self._waiting.append((decision, prompt if self.log_prompts else None))

    async def start(self) -> None:
        """Begins to write."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._task = asyncio.get_running_loop().create_task(self._always(), name="access-log")

    async def _always(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Writes what waits; returns when it is written."""
        if not self._waiting or self._thread is None:
            return
        waiting, self._waiting = self._waiting, deque()
        dropped, self._dropped = self._dropped, 0
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write_out, waiting, dropped)

    def _write_out(self, waiting: deque[tuple[Decision, str | None]], dropped: int) -> None:
        lines = [self._format(decision, prompt) for decision, prompt in waiting]
        # A closed or full stderr must not stop the gateway.
        with suppress(OSError, ValueError):
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()
        if dropped:
            logging.getLogger("sluice.access").warning(
                "access log could not keep up: lines dropped", extra={"dropped": dropped}
            )

    async def close(self) -> None:
        """Writes the rest."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.flush()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None


def _as_json(decision: Decision, prompt: str | None) -> str:
    usage = decision.usage
    line: dict[str, Any] = {
        "time": _moment(decision.at),
        "level": "info",
        "logger": "sluice.access",
        "event": "request",
        "request": decision.id,
        "route": decision.route,
        "model": decision.model[:200],
        "tenant": decision.tenant,
        "dialect": decision.dialect,
        "stream": decision.stream,
        "cache": decision.cache,
        "backend": decision.backend,
        "status": decision.status,
        "ms": round(decision.latency * 1000, 3),
        "prompt_tokens": usage.prompt if usage else 0,
        "completion_tokens": usage.completion if usage else 0,
        "cost": text(decision.cost),
        "saved": text(decision.saved),
        "currency": decision.currency,
    }
    if decision.first_token is not None:
        line["first_token_ms"] = round(decision.first_token * 1000, 3)
    if decision.similarity is not None:
        line["similarity"] = round(decision.similarity, 4)
    if decision.error is not None:
        line["error"] = hidden(decision.error)
    if prompt is not None:
        line["prompt"] = prompt
    return _json(line)


def _as_text(decision: Decision, prompt: str | None) -> str:
    moment = datetime.fromtimestamp(decision.at).strftime("%H:%M:%S")
    usage = decision.usage
    tokens = f"{usage.prompt}+{usage.completion}" if usage else "0+0"
    line = (
        f"{moment} {decision.status} {decision.route or '-'} {decision.cache} {decision.backend or '-'} "
        f"{decision.latency * 1000:.1f} ms {tokens} tokens {decision.id}"
    )
    if decision.error is not None:
        line += f" error={hidden(decision.error)!r}"
    return line if prompt is None else f"{line} prompt={prompt!r}"
