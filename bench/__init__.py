"""Benchmarks: `python -m bench` (or `make bench`) measures the gateway and writes JSON and docs/benchmarks.md."""
