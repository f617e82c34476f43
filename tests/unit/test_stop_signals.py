"""The first signal asks for a drain, a later one for an end, and what the kernel sends at once is one."""

import asyncio
import os
import signal

from sluice_sidecar.process import AT_ONCE, Signals


async def test_signals_that_come_at_once_are_one() -> None:
    now = [10.0]
    signals = Signals(lambda: now[0])
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(signals.stop.wait(), 5)
        os.kill(os.getpid(), signal.SIGINT)
        await _handled()
        assert not signals.force.is_set()
        now[0] += 2 * AT_ONCE
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(signals.force.wait(), 5)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)


async def _handled() -> None:
    """Waits until a signal that was sent before this call has been handled: they are handled in turn."""
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, done.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(done.wait(), 5)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
