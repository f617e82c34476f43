"""A finished batch's results as the lines of its files."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from sluice_sidecar.batch.records import Batch, Finished, State

TOGETHER = 200
"""Lines that are written at one time, in a thread."""

_NONE = {
    State.EXPIRED: ("batch_expired", "This request could not be executed before the completion window expired."),
    State.CANCELLED: ("batch_cancelled", "The batch was cancelled before this request was executed."),
}


async def write(finished: AsyncIterator[Finished], batch: Batch, output: Path, errors: Path) -> tuple[int, int]:
    """Writes both files, in the order of the input, and syncs them; how many bytes each has. Raises OSError."""
    with output.open("wb") as good, errors.open("wb") as bad:
        some: list[Finished] = []
        async for one in finished:
            some.append(one)
            if len(some) == TOGETHER:
                await asyncio.to_thread(_write, some, batch, good, bad)
                some = []
        await asyncio.to_thread(_write, some, batch, good, bad)
        return await asyncio.to_thread(_synced, good, bad)


def _write(some: Sequence[Finished], batch: Batch, good: BinaryIO, bad: BinaryIO) -> None:
    for one in some:
        if batch.kind == "anthropic":
            good.write(_anthropic(one))
        else:
            (good if one.state == State.DONE else bad).write(_openai(batch, one))


def _synced(good: BinaryIO, bad: BinaryIO) -> tuple[int, int]:
    for file in (good, bad):
        file.flush()
        os.fsync(file.fileno())
    return good.tell(), bad.tell()


def _openai(batch: Batch, one: Finished) -> bytes:
    code, message = _NONE.get(one.state, (None, None))
    line = {
        "id": f"batch_req_{batch.id.removeprefix('batch_')}{one.line:05x}",
        "custom_id": one.custom_id,
        "response": None
        if one.result is None
        else {"status_code": one.result.status, "request_id": one.result.request, "body": _json(one.result.body)},
        "error": None if code is None else {"code": code, "message": message},
    }
    return orjson.dumps(line) + b"\n"


def _anthropic(one: Finished) -> bytes:
    if one.result is None:
        result: dict[str, Any] = {"type": "expired" if one.state == State.EXPIRED else "canceled"}
    elif one.state == State.DONE:
        result = {"type": "succeeded", "message": _json(one.result.body)}
    else:
        result = {"type": "errored", "error": _json(one.result.body)}
    return orjson.dumps({"custom_id": one.custom_id, "result": result}) + b"\n"


def _json(body: bytes) -> Any:
    """The body, in its own bytes where it is JSON; its text where an upstream sent something else."""
    try:
        orjson.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
    return orjson.Fragment(body)
