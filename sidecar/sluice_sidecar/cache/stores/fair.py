"""Who makes room in a full policy: the tenants that hold most, so that a flood takes from whoever floods. Pure."""

from collections import Counter
from collections.abc import Mapping
from heapq import heapify, heapreplace
from typing import TypeVar

Tenant = TypeVar("Tenant", str, str | None)


def surplus(count: int, most: int) -> int:
    """How many of `count` records go where `most` may be: a hundredth of the bound at once, so that room is not made at
    every put; 0 where there is room."""
    return count - most + most // 100 if count > most else 0


def givers(held: Mapping[Tenant, int], putter: Tenant, number: int) -> Counter[Tenant]:
    """How many of its least recently used records each tenant gives up, so that `number` go, or all where fewer are.

    One after the other from whoever holds most at that moment, `putter` before its equals: max-min fairness. A tenant
    that holds no more than an equal share of what is left loses nothing, however much another one puts.
    """
    given: Counter[Tenant] = Counter()
    heap = [(-count, tenant != putter, str(tenant), tenant) for tenant, count in held.items() if count > 0]
    heapify(heap)
    for _ in range(min(number, sum(-count for count, *_ in heap))):
        count, other, name, tenant = heap[0]
        given[tenant] += 1
        heapreplace(heap, (count + 1, other, name, tenant))
    return given
