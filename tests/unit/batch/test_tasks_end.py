"""A task ends although what it awaits swallows a cancellation."""

import asyncio

from sluice_sidecar.batch.ending import ended


async def test_a_swallowed_cancellation_is_repeated() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await ended(task, None, again=0.01)
    assert task.cancelled()
    assert swallowed == 3


async def test_what_has_ended_is_left_alone() -> None:
    async def nothing() -> None:
        return

    task = asyncio.create_task(nothing())
    await task
    await ended(task)
    assert not task.cancelled()
