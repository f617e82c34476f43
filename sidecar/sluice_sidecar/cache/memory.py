"""The identical hot path: recent answers in this process, bounded in number and bytes."""

from collections import OrderedDict

from sluice_sidecar.cache.entry import Entry


class Memory:
    """Least recently used goes first. No lock, no await: one event loop owns it."""

    __slots__ = ("_bytes", "_entries", "_limit", "_most")

    def __init__(self, entries: int = 20_000, size: int = 67_108_864) -> None:
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._bytes, self._most, self._limit = 0, entries, size

    def get(self, key: str) -> Entry | None:
        """The entry of that key, which becomes the most recently used."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, entry: Entry) -> None:
        """Keeps `entry`; drops the least recently used while over a bound. One bigger than a bound is not kept."""
        self.drop(entry.key)
        size = entry.size
        if size > self._limit:
            return
        self._entries[entry.key] = entry
        self._bytes += size
        while self._bytes > self._limit or len(self._entries) > self._most:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size

    def drop(self, key: str) -> bool:
        """Forgets one entry; whether it was there."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._bytes -= entry.size
        return True

    def purge(self, *, policy: str | None = None, tenant: str | None = None, entry: str | None = None) -> list[str]:
        """Forgets every entry that all given conditions match; their keys."""
        keys = [
            key
            for key, kept in self._entries.items()
            if (policy is None or kept.policy == policy)
            and (tenant is None or kept.tenant == tenant)
            and (entry is None or key == entry)
        ]
        for key in keys:
            self.drop(key)
        return keys

    @property
    def size(self) -> int:
        """Bytes held, about."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)
