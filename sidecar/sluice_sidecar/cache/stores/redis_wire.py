"""The Redis client library's errors and answers in the cache's words."""

from collections.abc import Awaitable
from typing import Any

from sluice_sidecar.cache.stores.link import Unreachable
from sluice_sidecar.cache.stores.store import StoreError


class Full(StoreError):  # noqa: N818  (it says what the server is)
    """The server has no memory left for new entries."""


class Unknown(Unreachable):
    """The server does not know the command."""


async def told(work: Awaitable[Any]) -> Any:
    """What `work` gives; the library's errors become StoreError, Unreachable where asking again would not help."""
    from redis import exceptions

    try:
        return await work
    except exceptions.OutOfMemoryError as error:
        raise Full(str(error)) from error
    except exceptions.MaxConnectionsError as error:
        raise StoreError(str(error)) from error
    except exceptions.NoPermissionError as error:
        raise Unreachable(f"the user may not do that under the prefix: {error}") from error
    except exceptions.AuthenticationError as error:
        raise Unreachable(f"user name or password are refused: {error}") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ReadOnlyError, OSError) as error:
        raise Unreachable(str(error)) from error
    except exceptions.RedisError as error:
        if "unknown command" in str(error):
            raise Unknown(f"the server is too old or lacks a module: {error}") from error
        raise StoreError(f"{type(error).__name__}: {error}") from error


def pairs(found: Any) -> list[tuple[bytes, Any]]:
    """(name, number) pairs, in whichever form the library gives them."""
    if isinstance(found, dict):
        return list(found.items())
    if found and isinstance(found[0], list | tuple):
        return [(name, number) for name, number in found]
    return list(zip(found[::2], found[1::2], strict=True))
