"""What is measured together, what it promises, and the page that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.targets import Target


@dataclass(frozen=True)
class Suite:
    """Scenarios that share a run."""

    head: str
    """The page's beginning, in Markdown."""
    scenarios: Mapping[str, Callable[[Any], dict[str, Any]]]
    """Each takes the size of the run (see `sized`) and gives figures as JSON data."""
    targets: tuple[Target, ...]
    sized: str
    """The option that says how large a run is: seconds or scale."""
    packages: tuple[str, ...]
    """Whose versions matter."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Programs whose versions matter; see machine.TOOLS."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the scenarios' processes."""
