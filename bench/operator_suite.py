"""The benchmarks of the operator: what they promise, and how each is run."""

from bench.operator_convergence import converge
from bench.operator_failover import failover
from bench.operator_injection import inject
from bench.operator_rollout import rollout
from bench.suite import Suite
from bench.targets import Target

TARGETS = (
    Target("`kubectl apply` of a route to 50 sidecars, p99", "rollout", "route_p99_ms", "<=", 1000, "ms"),
    Target("a changed credential, the same", "rollout", "credential_p99_ms", "<=", 1000, "ms"),
    Target("requests meanwhile, failed", "rollout", "failed", "<=", 0, "requests"),
    Target("answers of old and new mixed", "rollout", "mixed", "<=", 0, "answers"),
    Target(
        "1,000 routes in 100 namespaces, cold operator",
        "converge",
        "converged_s",
        "<=",
        30,
        "s",
        "The API server takes most of both cores: each write of a route's status costs it about 6 ms of a core. "
        "Tried, and kept: statuses wait a moment for the gateways' reports, so that most are written once; the "
        "operator's own writes wake nothing.",
    ),
    Target("writes in a quiet minute afterwards", "converge", "quiet_writes", "<=", 0, "writes"),
    Target("objects that changed in that minute", "converge", "quiet_objects_changed", "<=", 0, "objects"),
    Target("operator's memory, most", "converge", "rss_most_mb", "<=", 150, "MB"),
    Target("leader killed, its work goes on", "failover", "killed_most_s", "<=", 15, "s"),
    Target("leader told to stop, its work goes on", "failover", "told_to_stop_most_s", "<=", 15, "s"),
    Target("requests to gateways meanwhile, failed", "failover", "failed", "<=", 0, "requests"),
    Target("making of a pod with a sidecar, p99", "inject", "p99_ms", "<=", 100, "ms"),
)

HEAD = """# Benchmarks of the operator

Written by `make bench-operator` from [its JSON](../bench/results/operator.json); do not edit. Everything runs on this
one machine: etcd, API server and controllers of a real Kubernetes without a node, the operator, the gateways and the
load, so that all of them share its cores. Machines are shared and noisy: read the figures as what this run saw. A
figure that misses its target is marked **short**.
"""

OPERATOR = Suite(
    head=HEAD,
    scenarios={"rollout": rollout, "converge": converge, "failover": failover, "inject": inject},
    targets=TARGETS,
    sized="scale",
    packages=("sluice-llm", "kopf", "kubernetes", "aiohttp", "uvicorn", "uvloop", "orjson", "pydantic"),
)
