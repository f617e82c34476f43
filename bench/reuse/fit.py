"""The priors that ship: a logistic regression over proposals of streams whose licence allows it (CC BY).

    python -m bench.reuse.fit --datasets FOLDER [--limit 8000]

Every ask misses and is stored, so each proposal has its label. The paraphrase learns, twice as much, from near misses
and rewordings of asks that the near-miss suite has not (`bench.near_misses.training`). Prints one mean a feature, and
how well a prior fitted on the other streams ranks the proposals of each (area under the ROC curve), which is what a new
user's traffic meets.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.near_misses.training import edited
from bench.reuse.asks import READERS, Stream, load
from bench.reuse.replay import STRATEGIES, Shelf, entry
from sluice_sidecar.cache.entry import Entry
from sluice_sidecar.cache.reuse.paraphrase import eligible
from sluice_sidecar.cache.reuse.record import Record
from sluice_sidecar.cache.reuse.strategy import Neighbour
from sluice_sidecar.cache.reuse.vote import LEAST, NEIGHBOURS

Rows = npt.NDArray[np.float64]


def main() -> None:
    """Prints the priors."""
    cli = argparse.ArgumentParser(prog="bench.reuse.fit", description=__doc__)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--limit", type=int, default=8000)
    options = cli.parse_args()
    streams = [load(name, options.datasets).shuffled(1, options.limit) for name in READERS]
    made = [edited(options.datasets, half) for half in (0, 1)]
    for how, strategy in STRATEGIES.items():
        found = {stream.name: proposals(how, stream) for stream in streams}
        if how == "paraphrase":
            found |= {f"edited, half {half}": proposals(how, stream) for half, stream in enumerate(made)}
        twice = [pair for name, pair in found.items() if name.startswith("edited")]
        weights = fitted([*found.values(), *twice])
        names = ("intercept", *strategy.FEATURES)
        print(how, {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)})
        for name, (rows, right) in found.items():
            others = fitted([pair for other, pair in found.items() if other != name])
            foreign, own = auc(rows @ others, right), auc(rows @ fitted([(rows, right)]), right)
            print(f"  {name}: {len(right)} proposals, {right.mean():.3f} right; AUC {foreign:.3f}, own prior {own:.3f}")


def proposals(how: str, stream: Stream) -> tuple[Rows, Rows]:
    """Features with a leading 1, and 1.0 where the proposal was right, of all that no guard refused."""
    strategy, shelf, record = STRATEGIES[how], Shelf(stream), Record()
    entries: list[Entry] = []
    rows, right = [], []
    for at, (text, key) in enumerate(zip(stream.texts, stream.keys, strict=True)):
        if eligible(text):
            found = zip(*shelf.nearest(at, NEIGHBOURS), strict=True)
            near = [Neighbour(entries[row], cosine) for row, cosine in found if cosine >= LEAST]
            proposal = strategy.propose(text, near, record)
            if proposal is not None and not proposal.refused:
                good = proposal.entry.tenant == key
                rows.append((1.0, *proposal.features))
                right.append(float(good))
                record.learn(proposal.entry.group, proposal.rival, wrong=not good)
        shelf.put(at)
        entries.append(entry(text, key, key))
    return np.array(rows), np.array(right)


def fitted(pairs: Sequence[tuple[Rows, Rows]], ridge: float = 5.0) -> Rows:
    """Weights of a ridge logistic regression by Newton's method; each stream weighs the same."""
    rows, right = np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])
    share = np.concatenate([np.full(len(b), len(rows) / len(pairs) / len(b)) for _, b in pairs])
    weights = np.zeros(rows.shape[1])
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-rows @ weights))
        slope = rows.T @ (share * (p - right)) + ridge * weights
        curve = (rows * (share * p * (1.0 - p))[:, None]).T @ rows + ridge * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    return weights


def auc(scores: Rows, right: Rows) -> float:
    """The chance that a right proposal scores above a wrong one."""
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    good = right > 0.5
    n, m = int(good.sum()), int((~good).sum())
    return float((ranks[good].sum() - n * (n + 1) / 2) / max(n * m, 1))


if __name__ == "__main__":
    main()
