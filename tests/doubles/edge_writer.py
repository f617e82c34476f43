"""Run as a program: puts numbered records into an edge or Faiss store and says each number once it is acknowledged."""

import asyncio
import sys
from pathlib import Path

if __name__ == "__main__":
    root = Path(__file__).parents[2]
    sys.path[:0] = [str(root / "sidecar"), str(root / "tests")]


async def main(path: str, size: int, which: str = "edge") -> None:
    """Writes until it is killed."""
    from doubles.cached import axis
    from doubles.records import NOW, record
    from sluice_sidecar.cache.stores.edge import EdgeStore
    from sluice_sidecar.cache.stores.faiss import FaissStore

    store = EdgeStore(path) if which == "edge" else FaissStore(Path(path))
    await store.open()
    vector, number = axis(1.0).tobytes(), 0
    while True:
        kept = await store.put(record(number, life=1e6, size=size, vector=vector), 10**6)
        print(number if kept else f"refused {store.stats()['state']}", flush=True)
        number += 1
        if number % 500 == 0:
            await store.upkeep(NOW)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
