"""OpenAI's files: https://platform.openai.com/docs/api-reference/files. Kept for one purpose, batches."""

import asyncio
from functools import partial
from typing import Any, BinaryIO

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.multipart import Form, boundary_of
from sluice_sidecar.batch.records import File
from sluice_sidecar.batch.request import Answer, Request, shown
from sluice_sidecar.dialects.identifiers import new
from sluice_sidecar.wire import CallerLeft

PATH = "/v1/files"
BYTES = 200 << 20
"""Largest file, OpenAI's own bound for batches."""
PATIENCE = 60.0
"""Seconds for which an upload may stand still."""
PIECE = 256 << 10


async def answer(request: Request, rest: list[str]) -> Answer | None:
    """What is asked at PATH and the parts behind it. None: it is answered already. Raises Problem, CallerLeft."""
    match request.scope["method"], rest:
        case "POST", []:
            return shown(_object(await _create(request)))
        case "GET", []:
            return await _list(request)
        case "GET" | "HEAD", [id_]:
            return shown(_object(await found(request, id_)))
        case "DELETE", [id_]:
            if not await request.queue.store.remove_file(request.tenant, id_):
                raise _unknown(id_)
            return shown({"id": id_, "object": "file", "deleted": True})
        case "GET", [id_, "content"]:
            await send_file(request, await found(request, id_))
            return None
        case method, []:
            raise Problem(405, "method_not_allowed", f"Use GET or POST at {PATH}, not {method}.")
        case method, _:
            raise Problem(405, "method_not_allowed", f"{method} is not possible here: GET, DELETE, or GET .../content.")


async def found(request: Request, id_: str) -> File:
    """The caller's file. Raises Problem(404)."""
    file = await request.queue.store.file(request.tenant, id_)
    if file is None:
        raise _unknown(id_)
    return file


def _unknown(id_: str) -> Problem:
    return Problem(404, "file_not_found", f"No such File object: {id_[:80]}", param="id")


async def send_file(request: Request, file: File, kind: bytes = b"application/octet-stream") -> None:
    """A file's bytes, a piece at a time. Raises Problem(404) where they are gone."""
    try:
        opened = request.queue.path(file.id).open("rb")
    except FileNotFoundError:
        raise _unknown(file.id) from None
    with opened:
        name = file.filename.encode("ascii", "replace").replace(b'"', b"'").replace(b"\n", b" ").replace(b"\r", b" ")
        headers = [
            (b"content-type", kind), (b"content-length", b"%d" % file.bytes),
            (b"content-disposition", b'attachment; filename="' + name + b'"'),
        ]  # fmt: skip
        await request.send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece := await asyncio.to_thread(opened.read, PIECE):
            await request.send({"type": "http.response.body", "body": piece, "more_body": True})
        await request.send({"type": "http.response.body", "body": b""})


async def _create(request: Request) -> File:
    length = request.headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > BYTES + 65_536:
        raise _too_large()
    request.queue.check_room(int(length))
    await request.queue.store.check_room(0)
    boundary = boundary_of(request.headers.get(b"content-type", b""))
    id_ = new("file-")
    path = request.queue.coming(id_)
    try:
        with path.open("wb") as coming:
            form = Form(boundary, partial(_write, request, coming))
            await _receive(request, form)
        file = _file(request, form, id_, path.stat().st_size)
        await request.queue.keep_file(file)
    except OSError as error:
        raise Problem(429, "storage_full", f"The file cannot be kept: {error.strerror}.", retry_after=60) from None
    finally:
        path.unlink(missing_ok=True)
    return file


def _write(request: Request, coming: BinaryIO, piece: bytes) -> None:
    if coming.tell() + len(piece) > BYTES:
        raise _too_large()
    request.queue.check_room(len(piece))
    coming.write(piece)


async def _receive(request: Request, form: Form) -> None:
    more = True
    while more:
        try:
            async with asyncio.timeout(PATIENCE):
                message = await request.receive()
        except TimeoutError:
            raise Problem(408, "body_timeout", f"Nothing of the body came for {PATIENCE:.0f} s.") from None
        if message["type"] == "http.disconnect":
            raise CallerLeft
        form.feed(message.get("body", b""))
        more = message.get("more_body", False)
    form.finish()


def _file(request: Request, form: Form, id_: str, size: int) -> File:
    purpose = form.fields.get("purpose")
    if form.filename is None:
        raise Problem(400, "missing_required_parameter", "file: a file belongs here.", param="file")
    if purpose != "batch":
        message = f"purpose: this gateway keeps files for batches: send batch, not {str(purpose)[:40]!r}."
        raise Problem(400, "invalid_purpose", message, param="purpose")
    if size == 0:
        raise Problem(400, "empty_file", "The file is empty: write one JSON object a line.", param="file")
    now, kept = request.queue.clock(), request.queue.limits.kept
    wanted = form.fields.get("expires_after[seconds]")
    if wanted is not None:
        if not wanted.isdigit() or not 3_600 <= int(wanted) <= 2_592_000:
            message = "expires_after: seconds from 3600 to 2592000 belong here."
            raise Problem(400, "invalid_expires_after", message, param="expires_after")
        kept = min(kept, float(wanted))
    return File(id_, request.tenant, "batch", form.filename, size, now, now + kept)


async def _list(request: Request) -> Answer:
    limit, order = request.limit(10_000, 10_000), request.query("order")
    if order not in (None, "asc", "desc"):
        raise Problem(400, "invalid_order", "order: asc or desc belongs here.", param="order")
    some = await request.queue.store.files(
        request.tenant, purpose=request.query("purpose"), after=request.query("after"), limit=limit + 1,
        oldest=order == "asc",
    )  # fmt: skip
    return shown(page([_object(file) for file in some], limit))


def page(some: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A list as OpenAI writes it, of one more than are shown."""
    data = some[:limit]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {"object": "list", "data": data, "has_more": len(some) > limit, **ends}


def _object(file: File) -> dict[str, Any]:
    return {
        "id": file.id, "object": "file", "bytes": file.bytes, "created_at": int(file.created),
        "expires_at": int(file.expires), "filename": file.filename, "purpose": file.purpose, "status": "processed",
        "status_details": None,
    }  # fmt: skip


def _too_large() -> Problem:
    return Problem(413, "file_too_large", f"A file of a batch has at most {BYTES >> 20} MiB: split it.", param="file")
