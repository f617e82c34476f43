"""Requests in the queue's file: put in, claimed with a lease, settled once. Everything here blocks.

At-least-once execution, exactly-once result: a claim gives a request a new token, and a result is taken from the holder
of the newest token alone. Lanes, one for each route and tenant, count what waits and runs, so that tenants take turns.
"""

import dataclasses
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from sluice_sidecar.batch import outbox_sqlite
from sluice_sidecar.batch.records import LINE_BITS, Entry, Lane, Result, State, Task

_COUNTED = {State.DONE: "completed", State.FAILED: "failed", State.CANCELLED: "cancelled", State.EXPIRED: "expired"}
_NEVER = 1 << 62
_TASK = (
    "SELECT q.id, q.token, q.attempt, q.batch, b.tenant, l.route, b.path, b.input, q.offset, q.length, b.kind, "
    "json_extract(b.note, '$.headers'), json_extract(b.note, '$.models'), b.created "
    "FROM requests q JOIN batches b ON b.seq = q.batch JOIN lanes l ON l.id = q.lane"
)


def put(db: sqlite3.Connection, seq: int, tenant: str, urgency: int, entries: Sequence[Entry]) -> None:
    """Queues requests of a batch; those that are there already stay as they are."""
    lanes: dict[str, int] = {}
    for route in {entry.route for entry in entries}:
        db.execute("INSERT OR IGNORE INTO lanes (route, tenant) VALUES (?,?)", (route, tenant))
        lanes[route] = db.execute("SELECT id FROM lanes WHERE route = ? AND tenant = ?", (route, tenant)).fetchone()[0]
    for route, lane in lanes.items():
        rows = [
            (seq << LINE_BITS | e.line, seq, lane, urgency, e.prefix, State.QUEUED, e.offset, e.length, e.custom_id)
            for e in entries
            if e.route == route
        ]
        added = db.executemany(
            "INSERT OR IGNORE INTO requests (id, batch, lane, urgency, prefix, state, offset, length, custom) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            rows,
        ).rowcount
        db.execute("UPDATE lanes SET queued = queued + ? WHERE id = ?", (added, lane))


def begin(db: sqlite3.Connection, seq: int, total: int, now: float) -> None:
    """A batch's requests are queued whole; those of one that was cancelled meanwhile end here."""
    db.execute(
        "UPDATE batches SET status = CASE status WHEN 'validating' THEN 'in_progress' ELSE status END, begun = ?, "
        "total = ? WHERE seq = ? AND begun IS NULL",
        (now, total, seq),
    )
    if db.execute("SELECT 1 FROM batches WHERE seq = ? AND cancelling IS NOT NULL", (seq,)).fetchone():
        give_up(db, seq, State.CANCELLED, now)


def lanes(db: sqlite3.Connection) -> list[Lane]:
    """All lanes in which something waits or runs."""
    query = "SELECT id, route, tenant, queued, running FROM lanes WHERE queued > 0 OR running > 0"
    return [Lane(*row) for row in db.execute(query)]


def waiting(db: sqlite3.Connection, tenant: str | None = None) -> int:
    """Requests that wait, of all tenants or one."""
    if tenant is None:
        return int(db.execute("SELECT coalesce(sum(queued), 0) FROM lanes").fetchone()[0])
    return int(db.execute("SELECT coalesce(sum(queued), 0) FROM lanes WHERE tenant = ?", (tenant,)).fetchone()[0])


def oldest(db: sqlite3.Connection, lane: int) -> float | None:
    """When the oldest request that waits for its turn in a lane came in."""
    # Within an urgency the oldest come first, so the index has each urgency's at one seek.
    first = "SELECT urgency, batch FROM requests WHERE state = 0 AND lane = ? AND urgency > ? ORDER BY 1, 2 LIMIT 1"
    urgency, found = -1, _NEVER
    while (row := db.execute(first, (lane, urgency)).fetchone()) is not None:
        urgency, found = row[0], min(found, row[1])
    row = db.execute("SELECT created FROM batches WHERE seq = ?", (found,)).fetchone()
    return None if row is None else float(row[0])


def claim(
    db: sqlite3.Connection, count: int, chosen: Collection[int], until: float, *, made_before: float | None = None
) -> list[Task]:
    """Up to `count` requests of the `chosen` lanes, leased `until` then, as equally among tenants as they can be.

    Within a lane the more urgent go first, then the older batch, then those that begin alike side by side.
    `made_before`: only of batches that came in before.
    """
    most = _NEVER
    if made_before is not None:
        most = db.execute("SELECT coalesce(max(seq), -1) FROM batches WHERE created <= ?", (made_before,)).fetchone()[0]
    marks = ",".join("?" * len(chosen))
    # Least running first; of equals the one whose last turn is longest ago.
    rows = db.execute(
        f"SELECT id, running, queued FROM lanes WHERE queued > 0 AND id IN ({marks}) ORDER BY running, turn",  # noqa: S608
        tuple(chosen),
    ).fetchall()
    found: list[int] = []
    for lane, share in _shares(rows, count):
        got = _first(db, lane, share, most)
        if got:
            turn = "(SELECT max(turn) + 1 FROM lanes)"
            db.execute(
                f"UPDATE lanes SET queued = queued - ?, running = running + ?, turn = {turn} WHERE id = ?",  # noqa: S608
                (len(got), len(got), lane),
            )
            found += got
    if not found:
        return []
    marks = ",".join("?" * len(found))
    db.execute(
        f"UPDATE requests SET state = 1, token = token + 1, attempt = attempt + 1, until = ? WHERE id IN ({marks})",  # noqa: S608
        (until, *found),
    )
    place = {id_: at for at, id_ in enumerate(found)}
    tasks = [_task(*row) for row in db.execute(f"{_TASK} WHERE q.id IN ({marks})", found)]
    return sorted(tasks, key=lambda task: place[task.id])


def _task(*row: Any) -> Task:
    *plain, headers, models, made = row
    rights = None if models is None else frozenset[str](orjson.loads(models))
    return dataclasses.replace(Task(*plain), headers=_pairs(headers), models=rights, made=made)


def _pairs(headers: str | None) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(headers or "[]"))


def _shares(rows: Iterable[tuple[int, int, int]], count: int) -> list[tuple[int, int]]:
    """How many each lane gets: one at a time to the lane that then runs least, until nothing is left to give."""
    left = {lane: [running, queued, 0] for lane, running, queued in rows}
    for _ in range(count):
        able = [lane for lane, (_, queued, share) in left.items() if share < queued]
        if not able:
            break
        least = min(able, key=lambda lane: left[lane][0] + left[lane][2])
        left[least][2] += 1
    return [(lane, share) for lane, (_, _, share) in left.items() if share]


def _first(db: sqlite3.Connection, lane: int, count: int, most: int) -> list[int]:
    query = (
        "SELECT id FROM requests WHERE state = 0 AND lane = ? AND batch <= ? "
        "ORDER BY urgency, batch, prefix, id LIMIT ?"
    )
    return [row[0] for row in db.execute(query, (lane, most, count))]


def settle(db: sqlite3.Connection, task: Task, result: Result, *, now: float) -> bool:
    """Writes the result of a claimed request. False, and nothing is written: the lease was lost to another."""
    state = State.DONE if result.good else State.FAILED
    row = db.execute(
        "UPDATE requests SET state = ?, until = NULL WHERE id = ? AND state = 1 AND token = ? RETURNING lane",
        (state, task.id, task.token),
    ).fetchone()
    if row is None:
        return False
    db.execute("INSERT INTO results VALUES (?,?,?,?)", (task.id, result.status, result.request, result.body))
    db.execute("UPDATE lanes SET running = running - 1 WHERE id = ?", row)
    db.execute(f"UPDATE batches SET {_COUNTED[state]} = {_COUNTED[state]} + 1 WHERE seq = ?", (task.batch,))  # noqa: S608
    if task.kind == "single":
        _end_single(db, task.batch, now)
    return True


def _end_single(db: sqlite3.Connection, seq: int, now: float) -> None:
    """A single batch ends with its request; its result stays in the queue."""
    ended = db.execute(
        "UPDATE batches SET ended = ?, status = CASE WHEN cancelled THEN 'cancelled' WHEN expired THEN 'expired' "
        "ELSE 'completed' END WHERE seq = ? AND kind = 'single' AND ended IS NULL "
        "AND completed + failed + cancelled + expired >= total",
        (now, seq),
    ).rowcount
    if ended:
        outbox_sqlite.announce(db, seq, now)


def put_back(db: sqlite3.Connection, task: Task, ready: float | None) -> bool:
    """Gives a claimed request back: to be tried again at `ready`; None: at once, and the attempt does not count."""
    row = db.execute(
        "UPDATE requests SET state = ?, until = ?, attempt = attempt - ? WHERE id = ? AND state = 1 AND token = ? "
        "RETURNING lane",
        (State.QUEUED if ready is None else State.WAITING, ready, ready is None, task.id, task.token),
    ).fetchone()
    if row is None:
        return False
    db.execute("UPDATE lanes SET queued = queued + 1, running = running - 1 WHERE id = ?", row)
    return True


def renew(db: sqlite3.Connection, tasks: Iterable[Task], until: float) -> None:
    """Lengthens the leases of those that are still held."""
    db.executemany(
        "UPDATE requests SET until = ? WHERE id = ? AND state = 1 AND token = ?",
        [(until, task.id, task.token) for task in tasks],
    )


def ripen(db: sqlite3.Connection, now: float) -> None:
    """Queues what has waited out its pause, and what was leased until before `now`."""
    for lane, count in db.execute(
        "SELECT lane, count(*) FROM requests WHERE state IN (1, 2) AND state = 1 AND until <= ? GROUP BY lane", (now,)
    ).fetchall():
        db.execute("UPDATE lanes SET queued = queued + ?, running = running - ? WHERE id = ?", (count, count, lane))
    db.execute("UPDATE requests SET state = 0, until = NULL WHERE state IN (1, 2) AND until <= ?", (now,))


def recover(db: sqlite3.Connection) -> None:
    """Queues all that runs, for a worker that knows that no other lives."""
    db.execute("UPDATE requests SET state = 0, until = NULL WHERE state IN (1, 2) AND state = 1")
    db.execute("UPDATE lanes SET queued = queued + running, running = 0 WHERE running > 0")


def give_up(db: sqlite3.Connection, seq: int, state: State, now: float) -> None:
    """Ends a batch's requests that wait, as cancelled or expired. Those that run come to their own end."""
    first, last = seq << LINE_BITS, ((seq + 1) << LINE_BITS) - 1
    counted, total = (
        db.execute(
            "SELECT lane, count(*) FROM requests WHERE id BETWEEN ? AND ? AND state IN (0, 2) GROUP BY lane",
            (first, last),
        ).fetchall(),
        0,
    )
    for lane, count in counted:
        db.execute("UPDATE lanes SET queued = queued - ? WHERE id = ?", (count, lane))
        total += count
    db.execute(
        "UPDATE requests SET state = ?, until = NULL WHERE id BETWEEN ? AND ? AND state IN (0, 2)", (state, first, last)
    )
    db.execute(f"UPDATE batches SET {_COUNTED[state]} = {_COUNTED[state]} + ? WHERE seq = ?", (total, seq))  # noqa: S608
    _end_single(db, seq, now)


def cancel(db: sqlite3.Connection, seq: int, now: float) -> None:
    """Ends what waits of a batch that has not ended; what runs comes to its own end."""
    db.execute(
        "UPDATE batches SET status = 'cancelling', cancelling = ? WHERE seq = ? AND cancelling IS NULL", (now, seq)
    )
    if db.execute("SELECT 1 FROM batches WHERE seq = ? AND begun IS NOT NULL", (seq,)).fetchone():
        give_up(db, seq, State.CANCELLED, now)


def position(db: sqlite3.Connection, seq: int) -> tuple[State, str, int] | None:
    """State and route of a single batch's request, and how many of its lane go before it. None: not known."""
    row = db.execute(
        "SELECT q.state, q.lane, q.urgency, l.route FROM requests q JOIN lanes l ON l.id = q.lane WHERE q.id = ?",
        (seq << LINE_BITS,),
    ).fetchone()
    if row is None:
        return None
    state, lane, urgency, route = row
    ahead = db.execute(
        "SELECT count(*) FROM requests WHERE state = 0 AND lane = ? AND (urgency < ? OR (urgency = ? AND batch < ?))",
        (lane, urgency, urgency, seq),
    ).fetchone()[0]
    return State(state), route, ahead
