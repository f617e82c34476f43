"""Stores that can tell all that they hold, for an export."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable


@runtime_checkable
class Scannable(Protocol):
    """A Store with a list."""

    def scan(self, policy: str) -> AsyncIterator[bytes]:
        """The data of each record of a policy, in no order, those that ended but were not swept included.

        What is put or dropped meanwhile may be among them or not, and then another may come twice. Raises StoreError,
        also midway.
        """
