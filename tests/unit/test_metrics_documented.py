"""The page on observability names every metric with its labels, and no other."""

import re
from collections import Counter
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as families

from doubles.bookkeeping import Call, decision, hit, route
from sluice_sidecar.admin.exposition import render
from sluice_sidecar.batch import figures
from sluice_sidecar.batch.figures import Settled, Waiting
from sluice_sidecar.config import Config
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.telemetry import SEPARATOR, Telemetry

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"


def test_the_page_and_the_metrics_agree() -> None:
    telemetry, ledger = Telemetry(), Ledger()
    telemetry.serve(Config(routes={"support": route()}).sealed())
    telemetry.breakers = lambda: {"large": False}
    whose = SEPARATOR.join(("support", "label"))
    telemetry.reuse = lambda: {
        "reuse": {whose: [1.0, 0.008, 0.01]},
        "reuse_hits": {whose: [1]},
        "reuse_checks": {whose: [1]},
        "reuse_labels": {SEPARATOR.join((whose, "miss", "right")): [1]},
    }
    for one in (hit(), decision(first_token=0.1, attempts=(Call("large"),))):
        ledger.record(one, route())
        telemetry.finished(one)
    came = Settled(done=1, saved=Counter(USD=10**12))
    windows = figures.families({"night": Waiting(queued=1, oldest=1.0)}, {"night": came})
    prompts = {
        "prompts": {SEPARATOR.join(("support", "rewritten")): [1.0]},
        "prompt_stops": {SEPARATOR.join(("support", "shorter")): [1.0]},
        "prompt_drifts": {"support": [1.0]},
    }
    given = {}
    for family in families(render({**telemetry.snapshot(), **windows, **prompts})[0].decode()):
        if family.name.startswith("sluice_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            given[name] = (family.type, {label for s in family.samples for label in s.labels} - {"le"})
    documented = {
        name: (kind, {label.strip() for label in labels.split(",") if label.strip()})
        for name, kind, labels in re.findall(r"^\| `(sluice_\w+)` \| (\w+) \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    }
    assert documented == given
