"""Holds each way of reuse to a bound on its error that is proven on live traffic. Pure: no I/O, no clock, no chance."""

from sluice_sidecar.cache.risk.controller import Controller
from sluice_sidecar.cache.risk.model import Prior, ScoreModel
from sluice_sidecar.cache.risk.terms import Label, PartitionReport, Report, RiskBound, Source, Verdict

__all__ = [
    "Controller", "Label", "PartitionReport", "Prior", "Report", "RiskBound", "ScoreModel", "Source", "Verdict",
]  # fmt: skip
