"""Ends background tasks for certain."""

import asyncio

AGAIN = 2.0
"""Seconds after which a task that was cancelled and goes on is cancelled once more."""


async def ended(*tasks: "asyncio.Task[None] | None", again: float = AGAIN) -> None:
    """Cancels tasks and returns when all have ended, however they did.

    What they awaited may have swallowed a cancellation: then they get another."""
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=again)
        await asyncio.gather(*done, return_exceptions=True)
