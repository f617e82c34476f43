"""A ledger whose process is killed has all but its last second."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from sluice_sidecar.ledger.ledger import Ledger

WRITER = """
import asyncio, sys
from pathlib import Path
from doubles.bookkeeping import hit, route
from sluice_sidecar.ledger.ledger import Ledger

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    await ledger.start()
    support, n = route(), 0
    while True:
        for _ in range(50):
            ledger.record(hit(id=f"h{n}", at=1_750_000_000.0 + n / 1000), support)
            n += 1
        before = n
        await ledger.flush()
        print(before, flush=True)

asyncio.run(main())
"""


async def test_what_was_flushed_survives_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    ledger = Ledger(tmp_path)
    await ledger.start()
    found = ledger.savings()
    await ledger.close()
    # One more flush may have been whole on disk and not told of yet.
    assert told[-1] <= found["requests"] <= told[-1] + 50
    assert found["hit_rate"] == {"total": 1.0, "identical": 1.0}
    assert len(ledger.recent(10)) == 10
