"""Whether a process works and answers: bare HTTP over asyncio, and what /proc tells."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 2.0
"""Seconds for one answer."""

ANSWER_BYTES = 1_048_576


async def answers(url: str, path: str) -> bytes | None:
    """The body of a 200 answer to GET `url` + `path` within PATIENCE; None for anything else."""
    where = urlsplit(url)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=ANSWER_BYTES)
            writer.write(f"GET {path} HTTP/1.0\r\nhost: {where.netloc}\r\n\r\n".encode())
            status = await reader.readline()
            while (await reader.readline()).strip():
                continue
            body = await reader.read(ANSWER_BYTES)
            return body if b" 200 " in status else None
    except (OSError, TimeoutError, ValueError):
        return None
    finally:
        if writer is not None:
            with suppress(OSError):
                writer.close()


async def idle(url: str, seconds: float) -> None:
    """Waits until no slot of a llama.cpp server works, or it does not answer, or `seconds` are over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (slots := await answers(url, "/slots")) is not None and _busy(slots):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def _busy(slots: bytes) -> bool:
    try:
        return any(slot.get("is_processing") for slot in json.loads(slots))
    except (ValueError, AttributeError):
        return False


def processor_time(pid: int) -> int | None:
    """Clock ticks that a process has used; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])


def fits_beside(pid: int) -> bool:
    """Whether a second process of this one's size fits into the free memory, with a quarter to spare."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        memory = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return False
    free = next((int(line.split()[1]) * 1024 for line in memory if line.startswith("MemAvailable:")), 0)
    return free > pages * os.sysconf("SC_PAGE_SIZE") * 1.25
