"""JSON patches (RFC 6902) of `add` operations, applied to plain data."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any


def patched(target: Mapping[str, Any], operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the API server makes of `target`. Fails where a path leads nowhere."""
    found: dict[str, Any] = copy.deepcopy(dict(target))
    for operation in operations:
        assert operation["op"] == "add", operation
        *parents, last = [
            step.replace("~1", "/").replace("~0", "~") for step in str(operation["path"]).removeprefix("/").split("/")
        ]
        place: Any = found
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place[step]
        value = copy.deepcopy(operation["value"])
        if isinstance(place, dict):
            place[last] = value
        else:
            assert isinstance(place, list), operation
            index = len(place) if last == "-" else int(last)
            assert 0 <= index <= len(place), operation
            place.insert(index, value)
    return found
