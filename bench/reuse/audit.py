"""Raw wrong answers that a reader found right: the two asks want the same, and the data set's labels differ.

    python -m bench.reuse.audit --datasets FOLDER [--orders 6]

Prints every raw wrong answer of nlu_home, and whether `nlu_home_audit.tsv` explains it. A pair enters that file only
where one text is the other up to punctuation, courtesy, plural or an article, or where one of the two labels plainly
errs; a doubt is an error. The raw figures stay what they are: an audit explains a figure and never changes a pass.
"""

import argparse
from functools import cache
from pathlib import Path

from bench.reuse.asks import load
from bench.reuse.replay import sluice

FILE = Path(__file__).with_name("nlu_home_audit.tsv")


@cache
def noise() -> frozenset[frozenset[str]]:
    """The pairs of asks whose different labels are noise; either may have answered the other."""
    rows = [line.split("\t") for line in FILE.read_text().splitlines()[1:]]
    return frozenset(frozenset((one, other)) for one, other, _ in rows)


def is_noise(ask: str, filled_by: str) -> bool:
    """Whether the answer of `filled_by`, given to `ask`, was found right."""
    return frozenset((ask, filled_by)) in noise()


def main() -> None:
    """Prints the wrong answers, one a line."""
    cli = argparse.ArgumentParser(prog="bench.reuse.audit", description=__doc__)
    cli.add_argument("--datasets", type=Path, required=True)
    cli.add_argument("--orders", type=int, default=6)
    options = cli.parse_args()
    stream, run = load("nlu_home", options.datasets), sluice("paraphrase", 0.025, varied=True)
    for seed in range(options.orders):
        for one in run(stream.shuffled(seed), seed):
            if one.wrong:
                found = "noise" if is_noise(one.ask, one.filled_by) else "wrong"
                print(seed, found, one.ask, one.filled_by, sep="\t", flush=True)


if __name__ == "__main__":
    main()
