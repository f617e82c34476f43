"""What a store of deferred requests does, whichever it is: data in, data out, and what returned is durable."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.outbox import Outbox
from sluice_sidecar.batch.records import Batch, Entry, File, Finished, Kind, Lane, Result, Sight, State, Task


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key, and a digest of what it asked with it."""

    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many requests may wait, of one tenant and of all."""

    tenant: int
    all: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at batches has found."""

    version: int
    """Of the store when it was looked at; it differs after each change that could be seen."""
    sights: dict[int, Sight | None]
    """Each batch by its number; None: it is not kept any more."""


def crowded(waiting: int, most: int, *, one: bool) -> Problem:
    """What a caller is told whose request is one too many: of its tenant (`one`), or of all."""
    yours = "of yours " if one else ""
    message = f"{waiting} requests {yours}wait already, and at most {most} may: try again when some have run."
    return Problem(429, "queue_full", message, retry_after=60)


class Store(Protocol):
    """Files by name (their bytes lie in a folder), batches, their requests and results. Times are unix seconds.

    At-least-once execution, exactly-once result: a claim gives a request a new token, and a result is taken from the
    holder of the newest token alone. Everything raises Problem: 503 while the store is away or cannot promise to keep
    what it is given (nothing was acknowledged then), 429 where it is full.
    """

    shared: bool
    """Whether processes on other machines may hold it: leases alone tell then which request is run by nobody."""
    outbox: Outbox
    """Webhooks of the batches here: the change that ends a batch whose caller wants to be told puts its event there."""

    async def check_room(self, size: int) -> None:
        """Raises Problem(429) where so many bytes more would fill the store too far."""

    # Files

    async def add_file(self, file: File) -> None:
        """Makes a file known whose bytes are where they belong."""

    async def file(self, tenant: str, id_: str) -> File | None:
        """A tenant's file; None: it has none of this id."""

    async def files(
        self, tenant: str, *, purpose: str | None, after: str | None, limit: int, oldest: bool
    ) -> list[File]:
        """A tenant's files, `oldest` or newest first, from the one behind `after` on."""

    async def remove_file(self, tenant: str, id_: str) -> bool:
        """Takes a file from its tenant; its bytes go when no open batch reads them. Whether there was one."""

    # Batches

    async def add_batch(self, batch: Batch, once: Idempotency | None = None) -> Batch:
        """Takes a batch in: with its sequence number, or the one that the same key made before. Raises KeyReused."""

    async def accept(
        self, batch: Batch, body: bytes, entry: Entry, backlog: Backlog, once: Idempotency | None = None
    ) -> Batch:
        """Takes one deferred request in, whole: batch, body and place in the queue. Raises Problem(429), KeyReused."""

    async def batch(self, tenant: str, kind: Kind, id_: str) -> Batch | None:
        """A tenant's batch of one wire."""

    async def by_seq(self, seq: int) -> Batch | None:
        """A batch by its sequence number."""

    async def batches(
        self, tenant: str, kind: Kind, *, after: str | None, before: str | None, limit: int
    ) -> list[Batch]:
        """A tenant's batches, newest first, behind `after`; or the ones just ahead of `before`."""

    async def unread(self) -> list[Batch]:
        """Batches whose input has yet to be queued, oldest first."""

    async def ripe(self) -> list[Batch]:
        """Batches whose requests have all ended, and whose files are not written."""

    async def under_way(self, limit: int) -> list[Batch]:
        """Batches that have not ended, oldest first; single ones are left out."""

    async def seen(self, seqs: Collection[int], version: int | None = None) -> Seen | None:
        """Batches as they are now, in one look; None: nothing has changed since the store had that version, or nothing
        was asked."""

    async def overdue(self, now: float, limit: int) -> list[int]:
        """Sequence numbers of batches whose time is over and of which something waits."""

    async def fail(self, seq: int, note: dict[str, Any], now: float) -> None:
        """Ends a batch whose input cannot be read, with what is wrong with it."""

    async def finalize(self, seq: int, now: float) -> Batch | None:
        """Marks a batch whose requests all ended; None where it is no such batch."""

    async def end(self, batch: Batch, output: File | None, errors: File | None, now: float) -> None:
        """Ends a batch whose files are written, and drops what they hold. One that has ended stays as it is."""

    def finished(self, seq: int) -> AsyncIterator[Finished]:
        """A batch's requests at their end, in the order of its input."""

    async def result(self, seq: int) -> Result | None:
        """What came of a single batch's request."""

    async def body(self, seq: int) -> bytes | None:
        """The one request of a single batch."""

    async def cancel(self, seq: int, now: float) -> None:
        """Ends what waits of a batch that has not ended; what runs comes to its own end."""

    async def give_up(self, seq: int, state: State, now: float) -> None:
        """Ends a batch's requests that wait, as cancelled or expired."""

    async def remove_batch(self, seq: int) -> None:
        """Forgets a batch that has ended."""

    async def forget(self, now: float, kept: float) -> list[str]:
        """Drops what is past its time. Ids of files whose bytes may go."""

    # Requests

    async def put(self, seq: int, tenant: str, urgency: int, entries: Sequence[Entry]) -> None:
        """Queues requests of a batch; those that are there already stay as they are."""

    async def begin(self, seq: int, total: int, now: float) -> None:
        """A batch's requests are queued whole; those of one that was cancelled meanwhile end here."""

    async def lanes(self) -> list[Lane]:
        """All lanes in which something waits or runs."""

    async def waiting(self, tenant: str | None = None) -> int:
        """Requests that wait, of all tenants or one."""

    async def oldest(self, lanes: Collection[int]) -> dict[int, float]:
        """Lane -> when the oldest request that waits for its turn there came in, where one does."""

    async def claim(
        self, count: int, chosen: Collection[int], until: float, *, made_before: float | None = None
    ) -> list[Task]:
        """Up to `count` requests of the `chosen` lanes, leased `until` then, as equally among lanes as they can be.

        Within a lane the more urgent go first, then the older batch, then those that begin alike side by side.
        """

    async def settle(self, task: Task, result: Result, *, now: float) -> bool:
        """Writes the result of a claimed request. False, and nothing is written: the lease was lost to another."""

    async def put_back(self, task: Task, ready: float | None) -> bool:
        """Gives a request back: tried again at `ready`; None: at once, and the attempt does not count."""

    async def renew(self, tasks: Iterable[Task], until: float) -> None:
        """Lengthens the leases of those that are still held."""

    async def ripen(self, now: float) -> None:
        """Queues what has waited out its pause, and what was leased until before `now`."""

    async def recover(self) -> None:
        """Queues all that runs, where no other process can be running it; a shared store leaves that to leases."""

    async def position(self, seq: int) -> tuple[State, str, int] | None:
        """State and route of a single batch's request, and how many go before it. None: not known."""
