"""What the paraphrase veto is worth: hits and wrong hits of the nearest neighbour alone, and with the veto.

    python -m bench.veto_streams --tool FOLDER --datasets FOLDER [--limit 3000]

`--tool` holds cachebench's streams.py, `--datasets` one folder a stream. Unique texts in random order (seed 0), every
text asked once and then stored; the same embedder, strategy and veto as the cache's, without a store between.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sluice_sidecar.cache.embed import EmbeddingError, MiniLM, checked
from sluice_sidecar.cache.reuse.paraphrase import NEIGHBOURS, eligible
from sluice_sidecar.cache.reuse.veto import disagreements

STREAMS = ("banking77", "nlu_home")
SIMILARITIES = (0.85, 0.90, 0.94)


def main() -> None:
    """Prints the table of docs/cache.md."""
    cli = argparse.ArgumentParser(prog="bench.veto_streams", description=__doc__)
    cli.add_argument("--tool", type=Path, required=True)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--limit", type=int, default=3000)
    options = cli.parse_args()
    for path in (options.tool / "streams.py", *(options.datasets / name for name in STREAMS)):
        if not path.exists():
            cli.error(f"{path} is not there: name the folders of the cachebench tool and of the data sets")
    print("| set | similarity | nearest neighbour alone: hits, wrong | with the veto: hits, wrong |\n|---|---|---|---|")
    for name in STREAMS:
        said = subprocess.run(
            [sys.executable, str(options.tool / "streams.py"), str(options.datasets / name)],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        asked = [(row["text"], row["key"]) for row in map(json.loads, said.splitlines())]
        random.Random(0).shuffle(asked)
        for similarity, found in _replayed(asked[: options.limit]).items():
            alone, vetoed = (f"{hits:,}, {wrong} ({wrong / max(1, hits):.1%})" for hits, wrong in found)
            print(f"| {name} | {similarity:.2f} | {alone} | {vetoed} |")


def _replayed(asked: list[tuple[str, str]]) -> dict[float, list[list[int]]]:
    """Similarity -> [hits, wrong] of the nearest neighbour alone, and with the veto."""
    found = {similarity: [[0, 0], [0, 0]] for similarity in SIMILARITIES}
    vectors = asyncio.run(_embedded([text for text, _ in asked]))
    for at in range(1, len(asked)):
        text, key = asked[at]
        if not eligible(text) or not vectors[at].any():
            continue
        cosines = vectors[:at] @ vectors[at]
        near = [int(i) for i in np.argsort(-cosines)[:NEIGHBOURS]]
        allowed = [i for i in near if cosines[i] >= SIMILARITIES[0] and not disagreements(text, asked[i][0])]
        for similarity, counts in found.items():
            for count, candidates in zip(counts, (near[:1], allowed), strict=True):
                chosen = next((i for i in candidates if cosines[i] >= similarity), None)
                if chosen is not None:
                    count[0] += 1
                    count[1] += asked[chosen][1] != key
    return found


async def _embedded(texts: list[str]) -> npt.NDArray[np.float32]:
    """One unit vector a row; zeros for a text that is not embedded."""
    model = MiniLM()
    rows = np.zeros((len(texts), 384), np.float32)
    for at, text in enumerate(texts):
        try:
            rows[at] = checked(await model(text))
        except EmbeddingError:
            continue
    model.close()
    return rows


if __name__ == "__main__":
    main()
