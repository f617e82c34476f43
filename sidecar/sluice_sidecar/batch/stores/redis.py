"""The queue in Redis: every change is one script, all keys lie in one slot of a cluster.

Redis keeps what it acknowledged when it flushes its append-only file before it answers (`appendfsync always`), or is
waited for until it did (WAITAOF, which `RedisLink` does in any case). The bytes of files stay in a folder that all
gateways of the namespace mount.
"""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from importlib.resources import files
from typing import Any

import orjson

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.outbox import Outbox
from sluice_sidecar.batch.outbox_redis import RedisOutbox, target
from sluice_sidecar.batch.records import (
    LINE_BITS,
    Batch,
    Entry,
    File,
    Finished,
    Kind,
    Lane,
    Result,
    Sight,
    State,
    Task,
)
from sluice_sidecar.batch.store import KeyReused
from sluice_sidecar.batch.stores.redis_link import RedisLink, Server, full
from sluice_sidecar.batch.stores.store import Backlog, Idempotency, Seen, crowded
from sluice_sidecar.dialects.registry import BY_PATH

COMMANDS = (
    "evalsha", "script|load", "waitaof", "info", "exists", "get", "set", "unlink", "incr", "incrby", "hset", "hsetnx",
    "hget", "hmget", "hgetall", "hkeys", "hdel", "hexists", "hincrby", "sadd", "srem", "sismember", "smembers",
    "srandmember", "zadd", "zrem", "zscore", "zrange", "zpopmin", "zrangebylex", "zlexcount", "zrangebyscore",
    "zrevrangebyscore", "zrevrange",
)  # fmt: skip
"""What the queue's user must be allowed to do in Redis."""

PARTS = ("queue", "batches", "requests", "outbox")
"""Of the script, in their order."""

SHARE = 0.9
"""Part of Redis' memory beyond which nothing is taken in: what is left is for the results of what runs."""
RESULT_BYTES = 8 << 20
"""Longest answer that is kept."""
LONGEST_LEASE = 600.0
LONGEST_PAUSE = 86_400.0
"""Seconds. A lease or pause that would end later was given before a clock moved back, and is cut to this."""
LISTED = 1_000
"""Batches that are moved on in one turn, at most."""
SEEN = 128
"""Batches that are looked at in one exchange: nobody waits long for Redis."""
KEPT = 30 * 86_400
"""Seconds for which an idempotency key is known."""

_PREFIX_BYTES = 16
_COUNTS = ("total", "completed", "failed", "cancelled", "expired")
_TIMES = ("begun", "finalizing", "cancelling", "ended")
_LINES = (1 << LINE_BITS) - 1


def script() -> str:
    """The one script, of its parts: helpers, then what can be asked, the last line being which of it was."""
    folder = files("sluice_sidecar.batch.stores")
    parts = [folder.joinpath(f"{name}.lua").read_text("utf-8") for name in PARTS]
    return "".join([*parts, "return ops[ARGV[1]]()\n"])


class RedisStore:
    """A Store under `prefix`. `server` is asked at every (re)connection; the others see what one acknowledged."""

    shared = True

    def __init__(self, prefix: str, server: Callable[[], Awaitable[Server]]) -> None:
        # Starts as the user's rights want it; what stands in braces puts all keys into one slot of a cluster.
        self._link = RedisLink(server, script(), f"{prefix}{{{prefix}batch}}:")
        self.outbox: Outbox = RedisOutbox(self._link)

    async def close(self) -> None:
        """Lets go of the server."""
        await self._link.close()

    async def check_room(self, size: int) -> None:
        """See Store. Problem(503) where Redis would drop what it acknowledged."""
        used, most, policy = await self._link.memory()
        if most and policy != "noeviction":
            message = f"The queue's Redis drops keys when it is full ({policy}): set maxmemory-policy noeviction."
            raise Problem(503, "queue_unavailable", message)
        if most and used + size > SHARE * most:
            raise full(f"{used >> 20} of {most >> 20} MiB are in use, and a tenth stays free")

    # Files

    async def add_file(self, file: File) -> None:
        """See Store."""
        await self._link.write("add_file", _dumped(file))

    async def file(self, tenant: str, id_: str) -> File | None:
        """See Store."""
        found = await self._link.read("file", tenant, id_)
        return None if found is None else File(**orjson.loads(found))

    async def files(
        self, tenant: str, *, purpose: str | None, after: str | None, limit: int, oldest: bool
    ) -> list[File]:
        """See Store."""
        docs = await self._link.read("files", tenant)
        found = sorted(
            (File(**orjson.loads(doc)) for doc in docs), key=lambda one: (one.created, one.id), reverse=not oldest
        )
        if after is not None:
            ids = [one.id for one in found]
            found = found[ids.index(after) + 1 :] if after in ids else []
        return [one for one in found if purpose in (None, one.purpose)][:limit]

    async def remove_file(self, tenant: str, id_: str) -> bool:
        """See Store."""
        return bool(await self._link.write("remove_file", tenant, id_))

    # Batches

    async def add_batch(self, batch: Batch, once: Idempotency | None = None) -> Batch:
        """See Store."""
        return await self._made(batch, await self._link.write("add", *_new(batch, once)))

    async def accept(
        self, batch: Batch, body: bytes, entry: Entry, backlog: Backlog, once: Idempotency | None = None
    ) -> Batch:
        """See Store."""
        found = await self._link.write(
            "accept", *_new(batch, once), backlog.tenant, backlog.all, batch.created, body, *_entry(entry)
        )
        if found[0] == b"full":
            raise crowded(int(found[1]), int(found[2]), one=bool(found[3]))
        return await self._made(batch, found)

    async def _made(self, batch: Batch, found: list[bytes]) -> Batch:
        if found[0] == b"reused":
            raise KeyReused(batch.id)
        known = await self.by_seq(int(found[1])) if found[0] == b"known" else None
        return known or dataclasses.replace(batch, seq=int(found[1]))

    async def batch(self, tenant: str, kind: Kind, id_: str) -> Batch | None:
        """See Store."""
        found = await self._link.read("batch", id_)
        batch = None if found is None else _batch(found)
        return batch if batch is not None and (batch.tenant, batch.kind) == (tenant, kind) else None

    async def by_seq(self, seq: int) -> Batch | None:
        """See Store."""
        found = await self._link.read("by_seq", seq)
        return None if found is None else _batch(found)

    async def batches(
        self, tenant: str, kind: Kind, *, after: str | None, before: str | None, limit: int
    ) -> list[Batch]:
        """See Store."""
        return [_batch(one) for one in await self._link.read("batches", tenant, kind, after or "", before or "", limit)]

    async def unread(self) -> list[Batch]:
        """See Store."""
        return [_batch(one) for one in await self._link.read("listed", "unread", LISTED)]

    async def ripe(self) -> list[Batch]:
        """See Store."""
        return [_batch(one) for one in await self._link.read("listed", "ripe", LISTED)]

    async def under_way(self, limit: int) -> list[Batch]:
        """See Store."""
        return [_batch(one) for one in await self._link.read("listed", "open", limit)]

    async def overdue(self, now: float, limit: int) -> list[int]:
        """See Store."""
        return [int(seq) for seq in await self._link.read("overdue", now, limit)]

    async def fail(self, seq: int, note: dict[str, Any], now: float) -> None:
        """See Store."""
        await self._link.write("fail", seq, orjson.dumps(note), now)

    async def finalize(self, seq: int, now: float) -> Batch | None:
        """See Store."""
        found = await self._link.write("finalize", seq, now)
        return None if found is None else _batch(found)

    async def end(self, batch: Batch, output: File | None, errors: File | None, now: float) -> None:
        """See Store."""
        made = [b"" if one is None else _dumped(one) for one in (output, errors)]
        await self._link.write("finish", batch.seq, now, *made)

    async def finished(self, seq: int) -> AsyncIterator[Finished]:
        """See Store."""
        bucket, more = 0, True
        while more:
            found = await self._link.read("finished", seq, bucket)
            records, states, results = (_pairs(one) for one in found[1:])
            for line in sorted(records, key=int):
                kept, state = results.get(line), states.get(line, b"0").split(b" ")[0]
                custom = _record(records[line])[2]
                yield Finished(int(line), custom, State(int(state)), None if kept is None else _result(kept))
            bucket, more = bucket + 1, bool(found[0])

    async def result(self, seq: int) -> Result | None:
        """See Store."""
        found = await self._link.read("result", seq)
        return None if found is None else _result(found)

    async def body(self, seq: int) -> bytes | None:
        """See Store."""
        found: bytes | None = await self._link.read("body", seq)
        return found

    async def cancel(self, seq: int, now: float) -> None:
        """See Store."""
        await self._to_the_end(seq, now, await self._link.write("cancel", seq, now))

    async def give_up(self, seq: int, state: State, now: float) -> None:
        """See Store. A process that dies meanwhile leaves the rest to `ripen`, in whichever."""
        await self._to_the_end(seq, now, await self._link.write("give_up", seq, int(state), now))

    async def _to_the_end(self, seq: int, now: float, more: int) -> None:
        while more:
            more = await self._link.write("step", seq, now)

    async def remove_batch(self, seq: int) -> None:
        """See Store."""
        await self._link.write("remove", seq)

    async def forget(self, now: float, kept: float) -> list[str]:
        """See Store. What is too much for one look goes with the next."""
        return [id_.decode() for id_ in await self._link.write("forget", now, kept)]

    # Requests

    async def put(self, seq: int, tenant: str, urgency: int, entries: Sequence[Entry]) -> None:
        """See Store. The urgency is the batch's own."""
        await self._link.write("put", seq, tenant, *(part for entry in entries for part in _entry(entry)))

    async def begin(self, seq: int, total: int, now: float) -> None:
        """See Store."""
        await self._to_the_end(seq, now, await self._link.write("begin", seq, total, now))

    async def lanes(self) -> list[Lane]:
        """See Store."""
        found = await self._link.read("lanes")
        return [Lane(int(id_), r.decode(), t.decode(), int(q), int(n)) for id_, (r, t, q, n) in found]

    async def waiting(self, tenant: str | None = None) -> int:
        """See Store."""
        return int(await self._link.read("waiting", *(() if tenant is None else (tenant,))))

    async def oldest(self, lanes: Collection[int]) -> dict[int, float]:
        """See Store."""
        found = {}
        for lane, seq in await self._link.read("oldest", *lanes) if lanes else ():
            made = await self.by_seq(int(seq))
            if made is not None:
                found[int(lane)] = made.created
        return found

    async def claim(
        self, count: int, chosen: Collection[int], until: float, *, made_before: float | None = None
    ) -> list[Task]:
        """See Store."""
        before = "" if made_before is None else made_before
        tasks, batches = await self._link.write("claim", count, until, before, *chosen)
        known = {batch.seq: batch for batch in map(_batch, batches)}
        return [_task(known[int(seq)], int(line), *more) for seq, line, *more in tasks]

    async def settle(self, task: Task, result: Result, *, now: float) -> bool:
        """See Store. An answer longer than RESULT_BYTES is an error."""
        if len(result.body) > RESULT_BYTES:
            problem = Problem(502, "answer_too_large", f"The answer is longer than {RESULT_BYTES >> 20} MiB.")
            result = Result(502, result.request, BY_PATH[task.path].error(problem))
        state = State.DONE if result.good else State.FAILED
        kept = b"%d %b\n%b" % (result.status, result.request.encode(), result.body)
        return bool(await self._link.write("settle", *_named(task), int(state), now, kept))

    async def put_back(self, task: Task, ready: float | None) -> bool:
        """See Store."""
        return bool(await self._link.write("put_back", *_named(task), "" if ready is None else ready))

    async def renew(self, tasks: Iterable[Task], until: float) -> None:
        """See Store."""
        await self._link.write("renew", until, *(part for task in tasks for part in _named(task)))

    async def ripen(self, now: float) -> None:
        """See Store."""
        while await self._link.write("ripen", now, LONGEST_LEASE, LONGEST_PAUSE):
            continue

    async def recover(self) -> None:
        """See Store: another process may be running what runs."""

    async def position(self, seq: int) -> tuple[State, str, int] | None:
        """See Store."""
        found = await self._link.read("position", seq)
        return _place(found)

    async def seen(self, seqs: Collection[int], version: int | None = None) -> Seen | None:
        """See Store."""
        wanted, known = list(seqs), "" if version is None else version
        sights: dict[int, Sight | None] = dict.fromkeys(wanted)
        first: int | None = None
        for at in range(0, len(wanted), SEEN):
            found = await self._link.read("seen", known, *wanted[at : at + SEEN])
            if found is None:
                return None
            first, known = int(found[0]) if first is None else first, ""
            for batch, place in found[1]:
                sight = Sight(_batch(batch), _place(place))
                sights[sight.batch.seq] = sight
        return None if first is None else Seen(first, sights)


def _dumped(file: File) -> bytes:
    return orjson.dumps(file)


def _new(batch: Batch, once: Idempotency | None) -> tuple[Any, ...]:
    """A batch as the script takes it: document, key, digest, seconds for which the key is known."""
    fields = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    hook = target(batch)
    text = {"note": orjson.dumps(batch.note).decode(), "hook": "" if hook is None else orjson.dumps(hook).decode()}
    doc = orjson.dumps(fields | text)
    key = "" if once is None else f"{batch.tenant}\0{once.key}"
    return doc, key, b"" if once is None else once.digest, KEPT


def _entry(entry: Entry) -> tuple[str, int, bytes]:
    rest = f"{entry.offset}:{entry.length}:{entry.custom_id}".encode()
    return entry.route, entry.line, entry.prefix[:_PREFIX_BYTES].ljust(_PREFIX_BYTES, b"\0") + rest


def _record(kept: bytes) -> tuple[int, int, str]:
    """Offset, length and custom_id of a request."""
    _, offset, length, custom = kept[_PREFIX_BYTES:].split(b":", 3)
    return int(offset), int(length), custom.decode()


def _result(kept: bytes) -> Result:
    head, _, body = kept.partition(b"\n")
    status, _, request = head.partition(b" ")
    return Result(int(status), request.decode(), body)


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _batch(found: Any) -> Batch:
    seq, flat = found
    hash_ = {name.decode(): value for name, value in _pairs(flat).items()}
    fields = orjson.loads(hash_["doc"]) | {"seq": int(seq), "note": orjson.loads(hash_["note"])}
    fields |= {name: int(hash_[name]) for name in _COUNTS if name in hash_}
    fields |= {name: float(hash_[name]) for name in _TIMES if name in hash_}
    fields |= {name: hash_[name].decode() for name in ("status", "output", "errors") if name in hash_}
    del fields["hook"]
    return Batch(**fields)


def _place(found: Any) -> tuple[State, str, int] | None:
    return None if found is None else (State(found[0]), found[1].decode(), found[2])


def _task(batch: Batch, line: int, token: int, attempt: int, kept: bytes, route: bytes) -> Task:
    offset, length, _ = _record(kept)
    headers = tuple((n.encode("latin-1"), v.encode("latin-1")) for n, v in batch.note.get("headers") or ())
    models = batch.note.get("models")
    return Task(
        batch.seq << LINE_BITS | line, token, attempt, batch.seq, batch.tenant, route.decode(), batch.path,
        batch.input, offset, length, batch.kind, headers, None if models is None else frozenset(models),
        batch.created,
    )  # fmt: skip


def _named(task: Task) -> tuple[int, int, int]:
    return task.batch, task.id & _LINES, task.token
