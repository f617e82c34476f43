"""The benchmarks of one gateway."""

from bench.configs import KEYS
from bench.machine import PACKAGES, TOOLS
from bench.scenarios import SCENARIOS
from bench.suite import Suite
from bench.targets import TARGETS

HEAD = """# Benchmarks

Written by `make bench` (`python -m bench --docs docs/benchmarks.md`) from [its JSON](../bench/results/gateway.json); do
not edit. One core for the gateway, the other for wrk (the load) and nginx (the model, which answers at once), all on
loopback. Every request carries an API key; an ask has about 1 kB. Machines are shared and noisy: read the figures as
what this run saw. A figure that misses its target is marked **short**.
"""

GATEWAY = Suite(
    head=HEAD,
    scenarios=SCENARIOS,
    targets=TARGETS,
    sized="seconds",
    packages=PACKAGES,
    tools=TOOLS,
    environment=KEYS,
)
