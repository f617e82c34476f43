"""What memory keeps and what it lets go."""

from sluice_sidecar.ask import Usage
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.memory import Memory


def entry(key: str, *, policy: str = "p", tenant: str = "t", size: int = 10) -> Entry:
    return Entry(key, "s", tenant, policy, "b", None, b"x" * size, Usage(), 0.0, 0.0, 1.0, 1.0)


def test_the_least_recently_used_goes_first() -> None:
    memory = Memory(entries=2)
    memory.put(entry("a"))
    memory.put(entry("b"))
    assert memory.get("a") is not None
    memory.put(entry("c"))
    assert memory.get("b") is None
    assert memory.get("a") is not None
    assert memory.get("c") is not None


def test_bytes_are_bounded() -> None:
    memory = Memory(size=10_000)
    for number in range(100):
        memory.put(entry(str(number), size=1000))
        assert memory.size <= 10_000
    assert 0 < len(memory) < 10


def test_one_that_is_too_big_is_not_kept() -> None:
    memory = Memory(size=10_000)
    memory.put(entry("a", size=10_000))
    assert len(memory) == memory.size == 0


def test_a_replacement_is_counted_once() -> None:
    memory = Memory()
    memory.put(entry("a"))
    before = memory.size
    memory.put(entry("a"))
    assert (len(memory), memory.size) == (1, before)


def test_a_purge_takes_what_matches_all_that_is_given() -> None:
    memory = Memory()
    for key, policy, tenant in (("a", "p", "t"), ("b", "p", "u"), ("c", "q", "t")):
        memory.put(entry(key, policy=policy, tenant=tenant))
    assert memory.purge(policy="p", tenant="t") == ["a"]
    assert memory.purge(entry="nothing") == []
    assert memory.purge(tenant="t") == ["c"]
    assert memory.purge() == ["b"]
    assert memory.size == 0
