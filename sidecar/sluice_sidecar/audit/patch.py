"""A shorter prompt as an entry of a ModelRoute's `prompt.rewrites`: edits where few, else the whole text. Pure.

The entry names the digest of the whole prompt that was audited: what was shown holds for that text, and a prompt that
was changed since gets nothing of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sluice_sidecar.audit.report import Report
from sluice_sidecar.config import Edit

PERCENT = 10
"""Share of the requests that get a new rewrite to begin with."""
MOST = 64
"""Edits of one rewrite, as the kind allows them."""
LONGEST = 16_384
"""Characters of one edit's text, as the kind allows them."""
LARGEST = 1_000_000
"""Bytes of a wording that a ConfigMap holds: it may be 1 MiB in all."""
_COMPARED = 4_000_000
"""Pairs of lines that are compared at most to find the edits."""

CONFIG_MAP_KEY = "prompt"


class NotPatchable(ValueError):  # noqa: N818
    """No rewrite can say it; the message tells why."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Objects of Kubernetes, as JSON's types."""

    route: dict[str, Any]
    """The part of a ModelRoute that holds the rewrite."""
    config_map: dict[str, Any] | None
    """The new wording, where it is too much for edits."""

    @property
    def rewrite(self) -> dict[str, Any]:
        """The entry of `prompt.rewrites`."""
        entry: dict[str, Any] = self.route["spec"]["prompt"]["rewrites"][0]
        return entry

    @property
    def objects(self) -> list[dict[str, Any]]:
        """All of it, in the order in which it is applied."""
        return [*([] if self.config_map is None else [self.config_map]), self.route]


def patch(report: Report, route: str, *, namespace: str | None = None, percent: int = PERCENT) -> Patch | None:
    """The rewrite that a report proposes; None where it proposes nothing. Raises NotPatchable."""
    if report.shorter == report.text:
        return None
    try:
        size = len(report.shorter.encode())
        report.text.encode()
    except UnicodeEncodeError:
        raise NotPatchable("the prompt holds half of a surrogate pair, which no file of kinds can hold") from None
    name = f"shorter-{report.prompt.removeprefix('sha256:')[:10]}"
    place = {} if namespace is None else {"namespace": namespace}
    entry: dict[str, Any] = {"name": name, "section": report.prompt, "percent": percent}
    config_map = None
    found = edits(report.text, report.shorter)
    if found is not None:
        entry["edits"] = [{"find": one.find, "replace": one.replace} for one in found]
    elif size > LARGEST:
        raise NotPatchable(f"the shorter prompt has {size} bytes; a ConfigMap holds {LARGEST}")
    else:
        held = f"{route}-{name}"
        entry["configMap"] = {"name": held, "key": CONFIG_MAP_KEY}
        config_map = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": held, **place},
            "data": {CONFIG_MAP_KEY: report.shorter},
        }
    return Patch(
        {
            "apiVersion": "sluice.dev/v1alpha1",
            "kind": "ModelRoute",
            "metadata": {"name": route, **place},
            "spec": {"prompt": {"rewrites": [entry]}},
        },
        config_map,
    )


def edits(text: str, shorter: str) -> tuple[Edit, ...] | None:
    """Edits that, made in this order, turn `text` into `shorter`; each `find` occurs once when its turn comes.

    None where they would be too many or too long.
    """
    hunks = _hunks(text, shorter)
    if hunks is None:
        return None
    made: list[Edit] = []
    now, moved = text, 0
    for start, end, new in hunks:
        edit = _unique(now, start + moved, end + moved, new)
        if edit is None or len(made) == MOST:
            return None
        made.append(edit)
        now = now[: start + moved] + new + now[end + moved :]
        moved += len(new) - (end - start)
    return tuple(made)


def _hunks(text: str, shorter: str) -> list[tuple[int, int, str]] | None:
    """Places of `text` and what stands there in `shorter`, in order; None where looking for them takes too long."""
    old, new = text.splitlines(keepends=True), shorter.splitlines(keepends=True)
    if len(old) * len(new) > _COMPARED:
        return None
    return list(_changed(old, new))


def _changed(old: list[str], new: list[str]) -> Iterator[tuple[int, int, str]]:
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    for what, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        before, after = "".join(old[first:last]), "".join(new[begin:end])
        head = _shared(before, after)
        tail = _shared(before[head:][::-1], after[head:][::-1])
        yield starts[first] + head, starts[last] - tail, after[head : len(after) - tail]


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _unique(now: str, start: int, end: int, new: str) -> Edit | None:
    """The edit of now[start:end], with as much around it as makes it the only place."""
    around = 0
    while True:
        left, right = max(0, start - around), min(len(now), end + around)
        find, replace = now[left:right], now[left:start] + new + now[end:right]
        if len(find) > LONGEST or len(replace) > LONGEST:
            return None
        if find and now.find(find, now.find(find) + 1) < 0:
            return Edit(find=find, replace=replace)
        if left == 0 and right == len(now):
            return None
        around = max(8, 2 * around)
