"""One stored answer: what is kept of it, and how it becomes bytes and comes back."""

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import orjson

from sluice_sidecar.ask import Usage

How = Literal["identical", "paraphrase", "label", "template"]
"""By which strategy an answer was found."""

FORM = 2
"""The record's form; one of another form is not read, but for the first, which had no group."""

LABELS = "="
"""How the group of a short answer begins: it is the answer's own digest, equal wherever the answer is."""


def is_label(group: str) -> bool:
    """Whether a group's answers are short ones, each of them one of a set."""
    return group.startswith(LABELS)


class Damaged(ValueError):  # noqa: N818  (it names the record's state)
    """Bytes that are not a record, or not the one that was asked for."""


@dataclass(slots=True)
class Entry:
    """A whole answer and where it came from. Times are unix seconds, `took` is seconds."""

    key: str
    scope: str
    tenant: str
    policy: str
    backend: str
    text: str | None
    """The normalised user text that it answers, where there is one."""
    body: bytes
    """The answer as JSON, the way a call without a stream would have given it."""
    usage: Usage
    took: float
    """What the upstream call took."""
    created: float
    expires: float
    stale_until: float
    """Until when it may be shown after `expires`, while it is fetched again."""
    group: str = ""
    """Entries of one group give the same answer in other words; empty where nobody compared them."""
    memo: tuple[object, bytes] | None = field(default=None, repr=False, compare=False)
    """What its reader computed from it for the given object, kept beside it."""
    _pieces: list[bytes] | None = field(default=None, repr=False, compare=False)
    _places: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def whole(self) -> dict[str, Any]:
        """The answer, parsed anew each time: the caller may change it."""
        parsed: dict[str, Any] = orjson.loads(self.body)
        return parsed

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes, the pieces that a first replay cuts included."""
        return 700 + 2 * len(self.body) + (len(self.text) if self.text else 0)

    def fresh(self, ident: bytes, created: int) -> bytes:
        """The answer's bytes with the top-level `id` and `created` replaced, where it has them.

        The body is cut once and then only joined, about 0.3 us: `ident` must need no escape in JSON.
        """
        if self._pieces is None:
            self._cut()
        pieces = self._pieces
        assert pieces is not None
        if not self._places:
            return pieces[0]
        values = {"id": b'"%b"' % ident, "created": b"%d" % created}
        out = [pieces[0]]
        for place, piece in zip(self._places, pieces[1:], strict=True):
            out += (values[place], piece)
        return b"".join(out)

    def _cut(self) -> None:
        """Finds the two values by writing the answer with marks in their places: no search that text could fool."""
        whole = self.whole
        marks: dict[str, bytes] = {}
        for name, kind in (("id", str), ("created", int)):
            if isinstance(whole.get(name), kind):
                mark = uuid4().hex
                whole[name] = mark
                marks[name] = b'"%b"' % mark.encode()
        rest = orjson.dumps(whole) if marks else self.body
        places, pieces = [], []
        for name in sorted(marks, key=lambda name: rest.index(marks[name])):
            before, _, rest = rest.partition(marks[name])
            pieces.append(before)
            places.append(name)
        self._pieces, self._places = [*pieces, rest], tuple(places)

    def to_bytes(self) -> bytes:
        """One line of JSON that describes the answer, then its body."""
        usage = self.usage
        about = (
            FORM, self.key, self.scope, self.tenant, self.policy, self.backend, self.text,
            usage.prompt, usage.cached, usage.completion, self.took, self.created, self.expires, self.stale_until,
            self.group,
        )  # fmt: skip
        return orjson.dumps(about) + b"\n" + self.body

    @classmethod
    def from_bytes(cls, data: bytes) -> "Entry":
        """The entry that `to_bytes` wrote. Raises Damaged."""
        line, _, body = data.partition(b"\n")
        try:
            form, *about = orjson.loads(line)
            if form == 1:
                about.append("")
            key, scope, tenant, policy, backend, text, prompt, cached, completion, *times, group = about
            took, created, expires, stale_until = (float(time) for time in times)
            usage = Usage(int(prompt), int(cached), int(completion))
        except (ValueError, TypeError) as error:
            raise Damaged(f"a cache record cannot be read: {error}") from error
        words = (key, scope, tenant, policy, backend, group)
        if (
            form not in (1, FORM)
            or not all(isinstance(word, str) for word in words)
            or not isinstance(text, str | None)
        ):
            raise Damaged(f"a cache record has form {form!r}, this release reads {FORM}")
        return cls(
            key, scope, tenant, policy, backend, text, body, usage, took, created, expires, stale_until, group
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer that may be given again. `stale`: show it and fetch it again in the background, once."""

    how: How
    entry: Entry
    similarity: float | None = None
    """Cosine of the two texts' embeddings; None for an identical ask."""
    stale: bool = False
