"""Has a managed Redis read its users anew, without a restart: four commands, by the operator's own user."""

import asyncio
from contextlib import suppress
from typing import Any

from sluice_operator.plan.plan import RedisDuty
from sluice_operator.store_places import Places
from sluice_operator.store_refusal import StoreRefusal

PATIENCE = 5.0
"""Seconds for all of it."""
LONGEST = 65_536
"""Most bytes of one line or text of an answer."""
MOST = 1_024
"""Most entries of a list."""


class _Error(Exception):
    """An error that the server answered."""


async def keep_redis(duty: RedisDuty, places: Places) -> bool:
    """Whether the server knows the users of the duty now; False: its pod has not got the new file yet.

    The kubelet brings a changed Secret within about a minute. Raises StoreRefusal.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*places.address(duty.address), limit=LONGEST)
            try:
                return await _told(duty, reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        raise StoreRefusal(f"{duty.address} did not answer within {PATIENCE:g} s") from None
    except (OSError, EOFError, ValueError) as error:
        raise StoreRefusal(f"{duty.address} cannot be asked: {error}") from error
    except _Error as error:
        raise StoreRefusal(f"{duty.address} refuses the operator: {error}") from error


async def _told(duty: RedisDuty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    await _ask(reader, writer, "AUTH", duty.user, duty.password)
    if duty.revision in await _ask(reader, writer, "ACL", "USERS"):
        return True
    await _ask(reader, writer, "ACL", "LOAD")
    # It ends the connections of users that it has not now: this one's is the same.
    return duty.revision in await _ask(reader, writer, "ACL", "USERS")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> Any:
    """The answer to one command. Raises _Error, EOFError, OSError, ValueError."""
    parts = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
    await writer.drain()
    return await _answer(reader)


async def _answer(reader: asyncio.StreamReader) -> Any:
    line = (await reader.readuntil(b"\r\n"))[:-2].decode(errors="replace")
    kind, text = line[:1], line[1:]
    if kind == "-":
        raise _Error(text)
    if kind in "+:":
        return text
    size = int(text)
    if kind == "$" and 0 <= size <= LONGEST:
        return (await reader.readexactly(size + 2))[:-2].decode(errors="replace")
    if kind == "*" and 0 <= size <= MOST:
        return [await _answer(reader) for _ in range(size)]
    raise ValueError("it does not answer as Redis does")
